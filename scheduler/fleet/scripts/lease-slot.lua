-- Leases the lowest free slot.
-- KEYS[1] set of slot numbers
-- ARGV[1] begin of every slot key (same hash tag as KEYS[1])   ARGV[2] record, JSON, beginning with the lease token
-- ARGV[3] life of the heartbeat, ms
-- returns the slot number
local slot = 0
while not redis.call('SET', ARGV[1] .. slot, ARGV[2], 'NX', 'PX', ARGV[3]) do
  slot = slot + 1
end
redis.call('SADD', KEYS[1], slot)
return slot
