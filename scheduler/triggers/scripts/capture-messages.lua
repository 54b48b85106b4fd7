-- Writes messages to the registration's stream, if the caller is still the one who listens for it.
--
-- KEYS[1] stream  [2] leases (hash)
-- ARGV[1] field of the lease  [2] its holder  [3] most entries in the stream  then channel, pattern, message of each
-- Returns the number of messages written; -1 = somebody else listens; -2 = the stream is full, nothing was written.

if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return -1 end
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[3]) then return -2 end
local written = 0
for i = 4, #ARGV, 3 do
  redis.call('XADD', KEYS[1], '*', 'channel', ARGV[i], 'pattern', ARGV[i + 1], 'message', ARGV[i + 2])
  written = written + 1
end
return written
