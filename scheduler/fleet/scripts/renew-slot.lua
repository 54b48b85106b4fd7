-- Renews the heartbeat of our slot, takes it again if nobody has it, and shows all slots.
-- KEYS[1] set of slot numbers   KEYS[2] our slot key
-- ARGV[1] begin of every slot key (same hash tag)   ARGV[2] record, JSON, beginning with the lease token
-- ARGV[3] life of the heartbeat, ms   ARGV[4] our slot   ARGV[5] length of the record's part that names the lease
-- returns [1 renewed | 2 taken again | 0 lost, slot, record or nil, remaining ms, slot, ...]
local present = redis.call('GET', KEYS[2])
local head = tonumber(ARGV[5])
local state = 0
if not present then
  state = 2
elseif string.sub(present, 1, head) == string.sub(ARGV[2], 1, head) then
  state = 1
end
if state > 0 then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
  redis.call('SADD', KEYS[1], ARGV[4])
end

local reply = { state }
for _, slot in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local key = ARGV[1] .. slot
  reply[#reply + 1] = slot
  reply[#reply + 1] = redis.call('GET', key)
  reply[#reply + 1] = redis.call('PTTL', key)
end
return reply
