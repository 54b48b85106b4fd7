-- Appends log lines under ids that are unique over all functions, once per flush.
-- KEYS[1] number of the writer's last flush   KEYS[2] newest id given   KEYS[3] set of functions with a log
-- KEYS[4...] logs, one per function of this flush
-- ARGV[1] number of this flush   ARGV[2] life of KEYS[1], ms   ARGV[3] lines kept per log
-- ARGV[4...] name of each log's function, then per line: position of its log in KEYS, version, level, message
-- returns lines written; 0 when this flush had arrived before
local last = redis.call('GET', KEYS[1])
if last and tonumber(last) >= tonumber(ARGV[1]) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])

local time = redis.call('TIME')
local ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local seq = 0
local newest = redis.call('GET', KEYS[2])
if newest then
  local newestMs, newestSeq = string.match(newest, '^(%d+)-(%d+)$')
  if tonumber(newestMs) >= ms then
    ms = tonumber(newestMs)
    seq = tonumber(newestSeq) + 1
  end
end

local at = 4
for _ = 4, #KEYS do
  redis.call('SADD', KEYS[3], ARGV[at])
  at = at + 1
end
local written = 0
while at <= #ARGV do
  local id = string.format('%.0f-%d', ms, seq)
  redis.call('XADD', KEYS[tonumber(ARGV[at])], 'MAXLEN', '~', ARGV[3], id,
    'version', ARGV[at + 1], 'level', ARGV[at + 2], 'message', ARGV[at + 3])
  redis.call('SET', KEYS[2], id)
  seq = seq + 1
  at = at + 4
  written = written + 1
end
return written
