-- Makes pending entries this consumer's and returns them. Ids that somebody else holds, or that have an end, are left
-- alone. Ids whose entry is gone from the stream end here, as dead letters with reason lost_to_trim.
--
-- KEYS[1] stream  [2] stats (hash)  [3] dead letters (stream)  [4] failures (hash)
-- ARGV[1] group  [2] new owner  [3] and [4] owners to take from ('' = none); the new owner is always one
--      [5] least idle time, ms  [6] '1' = this is a delivery and counts, '0' = the delivery counter stays
--      [7] most dead letters kept  [8] stream  [9] registration  [10] function  [11] version  [12] now, ms
--      then ids, ascending
-- Returns {entries, attempts, lost}: entries as XRANGE gives them, attempts of each, number of lost ones.

local FIRST = 13
local total = #ARGV - FIRST + 1
if total < 1 or redis.call('EXISTS', KEYS[1]) == 0 then return {{}, {}, 0} end

local rows = {}
local page = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[FIRST], ARGV[#ARGV], total * 2 + 16)
for _, row in ipairs(page) do rows[row[1]] = row end
if #page == total * 2 + 16 then
  for i = FIRST, #ARGV do
    if not rows[ARGV[i]] then
      local one = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
      if one[1] then rows[ARGV[i]] = one[1] end
    end
  end
end

local groups = {}
local order = {}
for i = FIRST, #ARGV do
  local row = rows[ARGV[i]]
  local owner = row and row[2]
  local allowed = owner and (owner == ARGV[2] or (owner ~= '' and (owner == ARGV[3] or owner == ARGV[4])))
  if allowed and (owner == ARGV[2] or row[3] >= tonumber(ARGV[5])) then
    order[#order + 1] = ARGV[i]
    local deliveries = ARGV[6] == '1' and row[4] + 1 or row[4]
    if not groups[deliveries] then groups[deliveries] = {} end
    local group = groups[deliveries]
    group[#group + 1] = ARGV[i]
  end
end

local found = {}
local attempts = {}
for deliveries, ids in pairs(groups) do
  for from = 1, #ids, 1000 do
    local call = {'XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0}
    for i = from, math.min(from + 999, #ids) do call[#call + 1] = ids[i] end
    call[#call + 1] = 'RETRYCOUNT'
    call[#call + 1] = deliveries
    for _, entry in ipairs(redis.call(unpack(call))) do
      if entry then
        found[entry[1]] = entry
        attempts[entry[1]] = deliveries
      end
    end
  end
end

local entries = {}
local counts = {}
local lost = 0
for _, id in ipairs(order) do
  if found[id] then
    entries[#entries + 1] = found[id]
    counts[#counts + 1] = attempts[id]
  else
    local note = ARGV[8] .. ' ' .. id
    local last = redis.call('HGET', KEYS[4], note) or ''
    redis.call('XACK', KEYS[1], ARGV[1], id)
    redis.call('HDEL', KEYS[4], note)
    redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[7], '*', 'entryId', id, 'stream', ARGV[8], 'registrationId', ARGV[9],
      'functionName', ARGV[10], 'version', ARGV[11], 'attempts', rows[id][4], 'reason', 'lost_to_trim',
      'errorCode', 'LOST_TO_TRIM',
      'errorMessage', 'the entry was deleted or trimmed before it had run to its end' .. (last ~= '' and '; last error: ' .. last or ''),
      'errorStack', '', 'payload', '*0\r\n', 'diedAtMs', ARGV[12])
    lost = lost + 1
  end
end
if lost > 0 then
  redis.call('HINCRBY', KEYS[2], 'dead', lost)
  redis.call('HINCRBY', KEYS[2], 'lost', lost)
end
return {entries, counts, lost}
