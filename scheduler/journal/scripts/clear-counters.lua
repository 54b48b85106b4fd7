-- Resets the counters of runs; the starts become the runs that are in flight.
-- KEYS[1] runs hash   KEYS[2] hash of cleared sums
-- ARGV[1...] field, sum: the ends of entries as they are now
-- returns 1
local function count(field)
  return tonumber(redis.call('HGET', KEYS[1], field) or '0')
end
local ended = count('success') + count('failures') + count('aborted')
local inFlight = math.max(0, count('triggered') - ended)
redis.call('DEL', KEYS[1], KEYS[2])
if inFlight > 0 then
  redis.call('HSET', KEYS[1], 'triggered', string.format('%d', inFlight))
end
if #ARGV > 0 then
  redis.call('HSET', KEYS[2], unpack(ARGV))
end
return 1
