-- Asks an execution to end. One that nobody works on yet ends at once.
-- KEYS[1] record   KEYS[2] set of running ones
-- ARGV[1] id   ARGV[2] now, ms   ARGV[3] life of the record, ms
-- returns 'gone', 'over' (it has ended already), 'ended' (by this call) or 'asked'
local status = redis.call('HGET', KEYS[1], 'status')
if not status then
  return 'gone'
end
if status == 'done' or status == 'aborted' then
  return 'over'
end
redis.call('HSET', KEYS[1], 'abort', '1')
if status ~= 'created' then
  return 'asked'
end
redis.call('HSET', KEYS[1], 'status', 'aborted', 'endedAt', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SREM', KEYS[2], ARGV[1])
return 'ended'
