-- Counts the ends of messages that ran from memory, and keeps those that failed.
--
-- KEYS[1] stats (hash)  [2] dead letters (stream)
-- ARGV[1] number of done  [2] of filtered  [3] most dead letters kept  [4] texts per letter  then letters: fields and values
-- Returns the number of dead letters.

if ARGV[1] ~= '0' then redis.call('HINCRBY', KEYS[1], 'done', ARGV[1]) end
if ARGV[2] ~= '0' then redis.call('HINCRBY', KEYS[1], 'filtered', ARGV[2]) end
local size = tonumber(ARGV[4])
local dead = 0
for at = 5, #ARGV, size do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, at, at + size - 1))
  dead = dead + 1
end
if dead > 0 then redis.call('HINCRBY', KEYS[1], 'dead', dead) end
return dead
