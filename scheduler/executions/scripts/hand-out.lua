-- Notes that pieces of a running attempt are about to be handed out: from now on no other attempt of this part can count.
-- KEYS[1] record of the execution
-- ARGV[1] field of what was handed out   ARGV[2] field of the stage's end   ARGV[3] field of the stage's attempts
-- ARGV[4] attempt   ARGV[5] index of the first piece   ARGV[6...] records and bytes of each piece in turn
-- returns 1, or 0 when they must not be handed out: the stage has ended or begun again, the execution is over, or pieces
-- before them never were
local status = redis.call('HGET', KEYS[1], 'status')
if not status or status == 'done' or status == 'aborted' or redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1 then
  return 0
end
if redis.call('HGET', KEYS[1], ARGV[3]) ~= ARGV[4] then
  return 0
end
local pieces, records, bytes = 0, 0, 0
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held then
  local p, r, b = string.match(held, '^%d+:(%d+):(%d+):(%d+)$')
  pieces, records, bytes = tonumber(p), tonumber(r), tonumber(b)
end
local first = tonumber(ARGV[5])
if first > pieces then
  return 0
end
for at = 6, #ARGV, 2 do
  if first + (at - 6) / 2 >= pieces then
    pieces = pieces + 1
    records = records + tonumber(ARGV[at])
    bytes = bytes + tonumber(ARGV[at + 1])
  end
end
local text = string.format('%s:%d:%d:%d', ARGV[4], pieces, records, bytes)
redis.call('HSET', KEYS[1], ARGV[1], text)
return 1
