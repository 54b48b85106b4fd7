-- Puts what waits in the inbox back to where it was taken from, in its order.
--
-- KEYS[1] list  [2] inbox (list, oldest item last)
-- ARGV[1] `right` or `left`: where items are taken
-- Returns the number of items put back.

local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'list' and kind ~= 'none' then return 0 end
local push = ARGV[1] == 'left' and 'LPUSH' or 'RPUSH'
local returned = 0
while true do
  local item = redis.call('LPOP', KEYS[2])
  if not item then return returned end
  redis.call(push, KEYS[1], item)
  returned = returned + 1
end
