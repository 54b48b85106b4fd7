-- Makes sure that a registration has its group on a stream; moves the group back when a rewind asks for it.
--
-- KEYS[1] stream  [2] position (hash)
-- ARGV[1] group  [2] stream as field of position  [3] start: an id, or `$<ms>` = what is newer than this time
--      [4] '1' = make the stream if there is none  [5] checkpoint of the caller, '' = none
--      [6] rewind token, '' = none  [7] rewind id
-- Returns {state, pending}: state is `exists`, `created`, `missing` or `wrongtype`; pending = entries of the group
-- without an end.

local kind = redis.call('TYPE', KEYS[1])['ok']
if kind == 'none' then
  if ARGV[4] ~= '1' then return {'missing', 0} end
elseif kind ~= 'stream' then
  return {'wrongtype', 0}
end

local function parts(id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms or id) or 0, tonumber(seq or '0') or 0
end

local function less(a, b)
  local ams, aseq = parts(a)
  local bms, bseq = parts(b)
  return ams < bms or (ams == bms and aseq < bseq)
end

local function last_id()
  if kind == 'none' then return '0-0' end
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return info[i + 1] end
  end
  return '0-0'
end

local function group_info()
  if kind == 'none' then return nil end
  for _, row in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
    local found = {}
    for i = 1, #row, 2 do found[row[i]] = row[i + 1] end
    if found['name'] == ARGV[1] then return found end
  end
  return nil
end

-- Ids below this are no times: such a stream carries ids of its user's own making.
local OLDEST_TIME = 100000000000

local function start_id(last)
  local since = string.match(ARGV[3], '^%$(%d+)$')
  if not since then return ARGV[3] end
  if less(last, since .. '-0') or parts(last) < OLDEST_TIME then return last end
  return since .. '-0'
end

local info = group_info()
if not info then
  local last = last_id()
  local from = redis.call('HGET', KEYS[2], ARGV[2])
  if not from and ARGV[5] ~= '' then from = ARGV[5] end
  if not from then
    from = start_id(last)
  elseif less(last, from) then
    from = '0-0'
  end
  if ARGV[4] == '1' then
    redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], from, 'MKSTREAM')
  else
    redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], from)
  end
  redis.call('HSET', KEYS[2], ARGV[2], from)
end

if ARGV[6] ~= '' then
  local mark = '\0rewind:' .. ARGV[2]
  if redis.call('HGET', KEYS[2], mark) ~= ARGV[6] then
    redis.call('HSET', KEYS[2], mark, ARGV[6])
    if info and less(ARGV[7], info['last-delivered-id']) then
      redis.call('XGROUP', 'SETID', KEYS[1], ARGV[1], ARGV[7])
      redis.call('HSET', KEYS[2], ARGV[2], ARGV[7])
    end
  end
end

if info then return {'exists', info['pending']} end
return {'created', 0}
