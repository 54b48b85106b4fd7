-- Adds what a writer has counted since its last flush, once.
-- KEYS[1] number of the writer's last flush   KEYS[2...] runs hashes
-- ARGV[1] number of this flush   ARGV[2] life of KEYS[1], ms
-- ARGV[3...] per hash: n, n times (field, increment), m, m times (field, text), d, d times (field to remove)
-- returns 1, or 0 when this flush had arrived before
local last = redis.call('GET', KEYS[1])
if last and tonumber(last) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])

local at = 3
local function number()
  at = at + 1
  return tonumber(ARGV[at - 1])
end
local function text()
  at = at + 1
  return ARGV[at - 1]
end
for key = 2, #KEYS do
  for _ = 1, number() do
    local field = text()
    redis.call('HINCRBY', KEYS[key], field, text())
  end
  for _ = 1, number() do
    local field = text()
    redis.call('HSET', KEYS[key], field, text())
  end
  for _ = 1, number() do
    redis.call('HDEL', KEYS[key], text())
  end
end
return 1
