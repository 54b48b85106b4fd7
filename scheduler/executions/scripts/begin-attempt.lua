-- Takes the number of the next attempt of a stage, unless results of an attempt before were handed out.
-- KEYS[1] record of the execution
-- ARGV[1] field of the stage's attempts   ARGV[2] field of what was handed out
-- returns the number, or 0 when the stage must not begin again
if redis.call('HEXISTS', KEYS[1], ARGV[2]) == 1 then
  return 0
end
return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
