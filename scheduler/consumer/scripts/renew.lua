-- Says that entries are still being worked on: their idle time begins anew. The delivery counter stays. Entries that
-- have gone from the stream are left as they are, since XCLAIM would drop them from the pending list without a word.
--
-- KEYS[1] stream   ARGV[1] group  [2] owner  then ids
-- Returns the number of renewed entries.

local renewed = 0
for i = 3, #ARGV do
  local row = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1]
  if row and row[2] == ARGV[2] and #redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i]) == 1 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
    renewed = renewed + 1
  end
end
return renewed
