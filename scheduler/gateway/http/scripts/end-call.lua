-- What the owner of a call with an idempotency key says of it; nothing happens when it is not its call any more.
-- KEYS[1] the key's record
-- ARGV[1] owner   ARGV[2] 'alive', 'release' or 'done'   ARGV[3] life, ms   ARGV[4] reply   ARGV[5] duration, ms
-- returns 1, or 0 when the call is somebody else's or over
local known = redis.call('HMGET', KEYS[1], 'owner', 'state')
if known[1] ~= ARGV[1] or known[2] ~= 'running' then
  return 0
end
if ARGV[2] == 'release' then
  redis.call('DEL', KEYS[1])
elseif ARGV[2] == 'done' then
  redis.call('HSET', KEYS[1], 'state', 'done', 'reply', ARGV[4], 'durationMs', ARGV[5])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
else
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + ARGV[3]))
end
return 1
