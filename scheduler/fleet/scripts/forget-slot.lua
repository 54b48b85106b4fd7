-- Strikes a slot off the list, unless a node lives in it.
-- KEYS[1] set of slot numbers   KEYS[2] the slot's key
-- ARGV[1] slot
-- returns 1 when it was struck off, else 0
if redis.call('EXISTS', KEYS[2]) == 1 then
  return 0
end
return redis.call('SREM', KEYS[1], ARGV[1])
