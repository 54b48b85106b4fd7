-- Moves items from a list to the stream of the registration, as long as there is room. An item is in exactly one of
-- list, inbox and stream at any time.
--
-- KEYS[1] list  [2] inbox (list, oldest item last)  [3] stream
-- ARGV[1] group  [2] most entries without an end  [3] most items moved now  [4] `right` or `left`: where items are taken
--      [5] name of the list
-- Returns {state, moved, left, backlog}: state is `ok` or `wrongtype`; left = items still in list and inbox; backlog =
-- entries without an end.

-- A stretch of moves ends after so many bytes, so that large items do not hold up the server.
local MOST_BYTES = 4000000

local kind = redis.call('TYPE', KEYS[1])['ok']
local isList = kind == 'list'

local function backlog()
  if redis.call('EXISTS', KEYS[3]) == 0 then return 0 end
  for _, row in ipairs(redis.call('XINFO', 'GROUPS', KEYS[3])) do
    local group = {}
    for i = 1, #row, 2 do group[row[i]] = row[i + 1] end
    -- Without a known lag: at most everything that is there.
    if group['name'] == ARGV[1] then return group['pending'] + (group['lag'] or redis.call('XLEN', KEYS[3])) end
  end
  return redis.call('XLEN', KEYS[3])
end

local waiting = backlog()
local room = math.min(tonumber(ARGV[2]) - waiting, tonumber(ARGV[3]))
local pop = ARGV[4] == 'left' and 'LPOP' or 'RPOP'
local moved = 0
local bytes = 0

local function move(key, command)
  while moved < room and bytes < MOST_BYTES do
    local item = redis.call(command, key)
    if not item then return end
    if ARGV[4] == 'left' then
      redis.call('XADD', KEYS[3], '*', 'key', ARGV[5], 'value', item, 'from', 'left')
    else
      redis.call('XADD', KEYS[3], '*', 'key', ARGV[5], 'value', item)
    end
    moved = moved + 1
    bytes = bytes + #item
  end
end

move(KEYS[2], 'RPOP')
if isList then move(KEYS[1], pop) end

local left = redis.call('LLEN', KEYS[2])
if isList then left = left + redis.call('LLEN', KEYS[1]) end
return {(isList or kind == 'none') and 'ok' or 'wrongtype', moved, left, waiting + moved}
