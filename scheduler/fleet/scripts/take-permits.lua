-- Says how many permits of a registration our node uses, and takes more where some are free. Permits of nodes whose heartbeat has
-- expired are free. Who waits longest comes first, and goes behind the others with every permit it gets; beyond its share a node
-- gets only what nobody else lacks. Run twice it says the same twice.
--
-- KEYS[1] permits (hash: holder -> "used wanted turn")
-- ARGV[1] begin of every slot key (same hash tag)   ARGV[2] our holder text   ARGV[3] permits there are
-- ARGV[4] those we use   ARGV[5] those we want besides   ARGV[6] channel   ARGV[7] what it is told when others should ask
-- returns permits taken; -1 when our own heartbeat has expired: nothing was written

local LIFE_MS = 60000

local function lives(holder)
  local slot, token = string.match(holder, '^n(%d+):(.+)$')
  local record = slot and redis.call('GET', ARGV[1] .. slot)
  return record and string.find(record, token, 1, true) ~= nil
end

if not lives(ARGV[2]) then
  return -1
end

local limit, used, wanted = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local others, parties, taken_by_others, last_turn = {}, 1, 0, 0
local turn, has_waited = nil, false
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local holder = stored[i]
  local u, w, t = string.match(stored[i + 1], '^(%d+) (%d+) (%d+)$')
  local node = { used = tonumber(u), wanted = tonumber(w), turn = tonumber(t) }
  last_turn = math.max(last_turn, node.turn)
  if holder == ARGV[2] then
    turn, has_waited = node.turn, node.wanted > 0
  elseif lives(holder) then
    others[#others + 1] = node
    parties = parties + 1
    taken_by_others = taken_by_others + node.used
  else
    redis.call('HDEL', KEYS[1], holder)
  end
end
if not has_waited then
  turn = last_turn + 1
end

local share = math.max(1, math.floor(limit / parties))
local free = math.max(0, limit - taken_by_others - used)
local before, behind, waiting = 0, 0, 0
for _, node in ipairs(others) do
  local lacks = math.min(node.wanted, math.max(0, share - node.used))
  waiting = waiting + node.wanted
  if node.turn < turn then
    before = before + lacks
  else
    behind = behind + lacks
  end
end
local taken = math.max(0, math.min(wanted, share - used, free - before))
taken = taken + math.max(0, math.min(wanted - taken, free - before - behind - taken))

if used + wanted == 0 then
  redis.call('HDEL', KEYS[1], ARGV[2])
else
  if taken > 0 then
    turn = last_turn + 1
  end
  redis.call('HSET', KEYS[1], ARGV[2], string.format('%d %d %d', used + taken, wanted - taken, turn))
  redis.call('PEXPIRE', KEYS[1], LIFE_MS)
end
if free > taken and waiting > 0 then
  redis.call('PUBLISH', ARGV[6], ARGV[7])
end
return taken
