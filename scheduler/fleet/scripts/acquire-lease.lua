-- Takes a stream's lease if it is free, ours, or still with the former owner that the caller believes dead.
-- KEYS[1] lease hash
-- ARGV[1] stream   ARGV[2] our holder text   ARGV[3] expected former owner, '' = none
-- returns '' when we hold it afterwards, else the owner's holder text
local owner = redis.call('HGET', KEYS[1], ARGV[1])
if owner == ARGV[2] then
  return ''
end
if owner and owner ~= ARGV[3] then
  return owner
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return ''
