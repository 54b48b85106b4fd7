-- Gives a stream's lease back if we hold it.
-- KEYS[1] lease hash
-- ARGV[1] stream   ARGV[2] our holder text
-- returns 1 when it was ours, else 0
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 1
end
return 0
