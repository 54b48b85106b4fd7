-- Records what a stage made on one shard, once: the first attempt that comes here counts, or the one whose results were
-- handed out.
-- KEYS[1] record of the execution
-- ARGV[1] field of the stage's end   ARGV[2] end (JSON)   ARGV[3] field of what was handed out
-- ARGV[4] attempt; 0 = it ends without having begun one
-- returns 1 when it was recorded, 0 when another attempt was faster, or counts, or the execution is over
local status = redis.call('HGET', KEYS[1], 'status')
if not status or status == 'done' or status == 'aborted' then
  return 0
end
local held = redis.call('HGET', KEYS[1], ARGV[3])
if held and ARGV[4] ~= '0' and string.match(held, '^%d+') ~= ARGV[4] then
  return 0
end
redis.call('HINCRBY', KEYS[1], 'beat', 1)
return redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
