-- Shows all slots.
-- KEYS[1] set of slot numbers
-- ARGV[1] begin of every slot key (same hash tag)
-- returns [slot, record or nil, remaining ms, slot, ...]
local reply = {}
for _, slot in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local key = ARGV[1] .. slot
  reply[#reply + 1] = slot
  reply[#reply + 1] = redis.call('GET', key)
  reply[#reply + 1] = redis.call('PTTL', key)
end
return reply
