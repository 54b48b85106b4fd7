-- Takes tokens out of a bucket that the fleet shares. Time is the server's, so that clocks of nodes do not matter. A bucket
-- that is not there is full. Run twice it takes twice: fewer events start than could, never more.
--
-- KEYS[1] bucket (hash: tokens, at)
-- ARGV[1] tokens wanted  [2] least that is worth taking  [3] size of the bucket  [4] ms in which it fills
-- Returns {tokens taken, ms until the least is there again when fewer were taken than wanted}

local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local wanted, least = tonumber(ARGV[1]), tonumber(ARGV[2])
local size, fill = tonumber(ARGV[3]), tonumber(ARGV[4])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1]) or size, tonumber(bucket[2]) or now

-- A clock that was set back must not stop the bucket for longer than it takes to fill.
if now > at then
  tokens = tokens + (now - at) * size / fill
  at = now
elseif at - now > fill then
  at = now
end
tokens = math.min(tokens, size)

local taken = 0
if tokens >= least then
  taken = math.min(wanted, math.floor(tokens))
  if taken < wanted then taken = taken - taken % least end
  tokens = tokens - taken
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.3f', at))
redis.call('PEXPIRE', KEYS[1], math.ceil(fill) + 60000)
local wait = 0
if taken < wanted then wait = math.max(0, math.ceil((least - tokens) * fill / size)) end
return {taken, wait}
