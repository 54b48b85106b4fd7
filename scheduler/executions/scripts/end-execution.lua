-- Ends an execution, once.
-- KEYS[1] record   KEYS[2] set of running ones
-- ARGV[1] id   ARGV[2] status: done or aborted   ARGV[3] error text ('' = none)   ARGV[4] now, ms   ARGV[5] life of the record, ms
-- returns 1 when this call ended it, 0 when it had ended before or is gone
redis.call('SREM', KEYS[2], ARGV[1])
local status = redis.call('HGET', KEYS[1], 'status')
if not status or status == 'done' or status == 'aborted' then
  return 0
end
redis.call('HSET', KEYS[1], 'status', ARGV[2], 'endedAt', ARGV[4])
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'error', ARGV[3])
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
