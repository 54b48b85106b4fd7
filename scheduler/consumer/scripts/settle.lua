-- Gives entries their ends: the only place where anything is acknowledged. Counters are raised by what XACK returned, so
-- that running this twice, or on two nodes, counts once.
--
-- KEYS[1] stream  [2] stats (hash)  [3] position (hash)  [4] dead letters (stream)  [5] failures (hash)  [6] lease (hash)
-- ARGV[1] group  [2] stream as field of position and lease  [3] newest id this node has settled
--      [4] lease holder that must be in force, '' = none  [5] most dead letters kept
--      [6] number of done ids  [7] of filtered  [8] of expired  [9] of dead letters  [10] of noted ids
--      then the ids in that order; a dead letter is its id, the number of its texts, and its fields and values;
--      a noted id is a field of failures that is removed
-- Returns {done, filtered, expired, dead} as acknowledged now, or {-1} when the lease belongs to somebody else.

if ARGV[4] ~= '' then
  local holder = redis.call('HGET', KEYS[6], ARGV[2])
  if holder and holder ~= ARGV[4] then return {-1} end
end

local at = 11
local counts = {}
local names = {'done', 'filtered', 'expired'}
for kind = 1, 3 do
  local left = tonumber(ARGV[5 + kind])
  local acked = 0
  while left > 0 do
    local take = math.min(left, 1000)
    acked = acked + redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, at, at + take - 1))
    at = at + take
    left = left - take
  end
  if acked > 0 then redis.call('HINCRBY', KEYS[2], names[kind], acked) end
  counts[kind] = acked
end

local buried = 0
for _ = 1, tonumber(ARGV[9]) do
  local id, size = ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  if redis.call('XACK', KEYS[1], ARGV[1], id) == 1 then
    buried = buried + 1
    redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[5], '*', unpack(ARGV, at, at + size - 1))
  end
  at = at + size
end
if buried > 0 then redis.call('HINCRBY', KEYS[2], 'dead', buried) end
counts[4] = buried

local noted = tonumber(ARGV[10])
while noted > 0 do
  local take = math.min(noted, 1000)
  redis.call('HDEL', KEYS[5], unpack(ARGV, at, at + take - 1))
  at = at + take
  noted = noted - take
end

-- Position: everything up to it is settled. Never goes back here.
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms) or 0, tonumber(seq) or 0
end
local reached = ARGV[3]
-- The group may have vanished meanwhile.
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1])
if not pending['err'] and pending[1] > 0 then
  local ms, seq = string.match(pending[2], '^(%d+)%-(%d+)$')
  if #ms > 15 then
    reached = '0-0'
  elseif seq == '0' then
    reached = string.format('%.0f', tonumber(ms) - 1) .. '-18446744073709551615'
  elseif #seq < 16 then
    reached = ms .. '-' .. string.format('%.0f', tonumber(seq) - 1)
  else
    reached = ms .. '-0'
  end
end
local ms, seq = parts(reached)
local was = redis.call('HGET', KEYS[3], ARGV[2])
local wasms, wasseq = parts(was or '0-0')
if ms > wasms or (ms == wasms and seq > wasseq) then redis.call('HSET', KEYS[3], ARGV[2], reached) end
return counts
