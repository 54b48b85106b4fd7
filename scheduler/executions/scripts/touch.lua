-- Shows that a stage is worked on, and asks whether it still should be.
-- KEYS[1] record of the execution
-- ARGV[1] field of the stage's progress ('' = none)   ARGV[2] progress (JSON)
-- returns 'go', 'abort' (it was asked to end) or 'over' (it has ended, or is gone)
local status = redis.call('HGET', KEYS[1], 'status')
if not status or status == 'done' or status == 'aborted' then
  return 'over'
end
if redis.call('HEXISTS', KEYS[1], 'abort') == 1 then
  return 'abort'
end
redis.call('HINCRBY', KEYS[1], 'beat', 1)
if ARGV[1] ~= '' then
  redis.call('HSET', KEYS[1], 'status', 'running', ARGV[1], ARGV[2])
end
return 'go'
