-- Removes what every group of the stream, foreign ones included, has acknowledged.
--
-- KEYS[1] stream
-- Returns the number of removed entries.

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end

local function parts(id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

-- First id that has to stay.
local least, leastms, leastseq
for _, row in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for i = 1, #row, 2 do group[row[i]] = row[i + 1] end
  local id
  if group['pending'] > 0 then
    id = redis.call('XPENDING', KEYS[1], group['name'])[2]
    -- A group that was moved back reads from there again, whatever is pending behind it.
    local dms, dseq = parts(group['last-delivered-id'])
    local pms, pseq = parts(id)
    if dms < pms or (dms == pms and dseq < pseq) then id = group['last-delivered-id'] end
  else
    local ms, seq = string.match(group['last-delivered-id'], '^(%d+)%-(%d+)$')
    id = #seq < 16 and ms .. '-' .. string.format('%.0f', tonumber(seq) + 1) or group['last-delivered-id']
  end
  local ms, seq = parts(id)
  if not least or ms < leastms or (ms == leastms and seq < leastseq) then
    least, leastms, leastseq = id, ms, seq
  end
end
if not least then return 0 end
return redis.call('XTRIM', KEYS[1], 'MINID', least)
