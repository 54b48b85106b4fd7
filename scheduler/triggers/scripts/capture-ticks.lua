-- Writes due ticks to the registration's stream, each at most once, whoever comes first.
--
-- KEYS[1] stream  [2] state (hash)
-- ARGV[1] the schedule as text  [2] registration  [3] now, ms  [4] ticks up to this time are dealt with, ms
--      then times of ticks, ms, ascending
-- Returns the number of ticks written; -1 when the schedule is another one by now.

if redis.call('HGET', KEYS[2], 'spec') ~= ARGV[1] then return -1 end
local last = tonumber(redis.call('HGET', KEYS[2], 'last'))
local added = 0
for i = 5, #ARGV do
  local at = tonumber(ARGV[i])
  if at > last then
    local tick = redis.call('HINCRBY', KEYS[2], 'ticks', 1)
    local late = string.format('%.0f', math.max(0, tonumber(ARGV[3]) - at))
    redis.call('XADD', KEYS[1], '*', 'schedule', ARGV[2], 'at', ARGV[i], 'tick', tick, 'late', late)
    last = at
    added = added + 1
  end
end
last = math.max(last, tonumber(ARGV[4]))
redis.call('HSET', KEYS[2], 'last', string.format('%.0f', last))
return added
