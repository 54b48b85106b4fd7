-- Says that somebody listens, and since when: writes before that are not paired with what is heard.
--
-- KEYS[1] epoch of the listener and the time since when it holds (string, expires)
-- ARGV[1] epoch  [2] lifetime in ms
-- Returns 1

local known = redis.call('GET', KEYS[1])
if known and string.sub(known, 1, #ARGV[1] + 1) == ARGV[1] .. ' ' then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  local clock = redis.call('TIME')
  local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
  redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. string.format('%.0f', now), 'PX', ARGV[2])
end
return 1
