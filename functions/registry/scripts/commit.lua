-- Carries out a change of the registry, unless the registry is no longer the one the change was made for.
-- KEYS[1] revision (string)   KEYS[2] token of the last change (string)
-- KEYS[3] epoch (string)   KEYS[4…] keys the commands touch
-- ARGV[1] revision the change was made for   ARGV[2] token of this change   ARGV[3] channel of changes
-- ARGV[4…] commands, each as: number of arguments, command name, index of its key in KEYS, the other arguments
-- Returns the new revision, or nil when somebody else changed the registry meanwhile
local revision = redis.call('GET', KEYS[1]) or '0'
if revision ~= ARGV[1] then
  -- The same change, sent again after a lost connection.
  if redis.call('GET', KEYS[2]) == ARGV[2] then return revision end
  return nil
end
local at = 4
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  redis.call(ARGV[at + 1], KEYS[tonumber(ARGV[at + 2])], unpack(ARGV, at + 3, last))
  at = last + 1
end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SETNX', KEYS[3], ARGV[2])
revision = tostring(redis.call('INCR', KEYS[1]))
redis.call('PUBLISH', ARGV[3], revision)
return revision
