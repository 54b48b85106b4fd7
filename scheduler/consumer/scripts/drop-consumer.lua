-- Deletes a consumer that has nothing pending; one that has keeps everything.
--
-- KEYS[1] stream   ARGV[1] group  [2] consumer
-- Returns the number of entries pending under the name; 0 = it is gone.

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local found = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if found['err'] then return 0 end
if #found > 0 then return #found end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 0
