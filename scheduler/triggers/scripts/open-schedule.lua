-- Begins a schedule, or begins it anew when it has changed. Numbers of ticks go on.
--
-- KEYS[1] state (hash)
-- ARGV[1] the schedule as text  [2] time behind which ticks count, ms
-- Returns the time behind which ticks are due.

if redis.call('HGET', KEYS[1], 'spec') ~= ARGV[1] then
  redis.call('HSET', KEYS[1], 'spec', ARGV[1], 'last', ARGV[2])
end
return redis.call('HGET', KEYS[1], 'last')
