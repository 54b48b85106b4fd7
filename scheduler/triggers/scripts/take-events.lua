-- Writes events of keys into the streams of their registrations. What a door reports and what the listener hears of the
-- same write are paired: whoever comes first writes the event and leaves a credit, the other one finds the credit.
--
-- KEYS[1] epoch of the listener and since when it listens (string, expires; absent = nobody does)  [2 …] streams, then one credit per event
-- ARGV[1] 'door' | 'heard' (listener) | 'hush' (a write whose event is not to be heard) | 'unhush' (it had none)
--      [2] the listener's own epoch, '' for the others  [3] number of streams  [4] number of events
--      per event: 1 = certain, 0 = the reply does not tell | time (ms) that had passed when the write was sent |
--      number of fields and values, those | number of streams that other writes reach too, their positions |
--      number of streams only this command reaches, their positions
-- Returns {time in ms, then per event 1 when it was written to the streams that other writes reach, else 0}

local origin, own = ARGV[1], ARGV[2]
local streams = tonumber(ARGV[3])
local epoch, started = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
epoch, started = epoch or '', tonumber(started or '0')
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local result = {now}
local at = 5

local function add(fields, positions)
  for _, position in ipairs(positions) do redis.call('XADD', KEYS[1 + position], '*', unpack(fields)) end
end

local function list()
  local size = tonumber(ARGV[at])
  local items = {unpack(ARGV, at + 1, at + size)}
  at = at + 1 + size
  return items
end

local function credit(key)
  local text = redis.call('GET', key)
  if not text then return 0, 0 end
  local count, time, of = string.match(text, '^(-?%d+) (%d+) (.*)$')
  if of ~= epoch then return 0, 0 end
  return tonumber(count), tonumber(time)
end

local function put(key, count)
  if count == 0 then redis.call('DEL', key)
  else redis.call('SET', key, count .. ' ' .. string.format('%.0f', now) .. ' ' .. epoch, 'PX', count < 0 and 4000 or 2000) end
end

for n = 1, tonumber(ARGV[4]) do
  local certain, since = ARGV[at] == '1', tonumber(ARGV[at + 1])
  at = at + 2
  local fields, shared, linked = list(), list(), list()
  for i = 1, #shared do shared[i] = tonumber(shared[i]) end
  for i = 1, #linked do linked[i] = tonumber(linked[i]) end
  local key = KEYS[1 + streams + n]
  local listening = epoch ~= '' and since >= started
  local written = 0
  if origin == 'door' then
    add(fields, linked)
    if not listening then
      add(fields, shared)
      written = 1
    elseif certain then
      local count, time = credit(key)
      if count > 0 and time >= since then put(key, count - 1)
      else
        add(fields, shared)
        written = 1
        put(key, math.min(count, 0) - 1)
      end
    end
  elseif origin == 'heard' then
    local count = credit(key)
    -- Another listener has taken over: it hears the same.
    local replaced = own ~= '' and epoch ~= '' and own ~= epoch
    if replaced then written = 0
    elseif count < 0 then put(key, count + 1)
    else
      add(fields, shared)
      written = 1
      put(key, count + 1)
    end
  elseif listening then
    local count = credit(key)
    if origin == 'hush' then put(key, math.min(count, 0) - 1)
    elseif count < 0 then put(key, count + 1) end
  end
  result[n + 1] = written
end
return result
