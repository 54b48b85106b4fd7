-- Puts the item of a dead letter back at the end of the list it was taken from and deletes the letter: both or nothing.
--
-- KEYS[1] dead letters   KEYS[2] list
-- ARGV[1] id of the letter  [2] the item  [3] `right` or `left`: where items are taken
-- returns the new length of the list, or `-gone`
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then
  return '-gone'
end
local length = redis.call(ARGV[3] == 'left' and 'RPUSH' or 'LPUSH', KEYS[2], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[1])
return length
