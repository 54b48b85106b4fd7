-- Writes the reply of a command, once.
-- KEYS[1] marker that the call is answered   KEYS[2] stream of replies of the node that asked
-- ARGV[1] call id   ARGV[2] `reply` or `error`   ARGV[3] text   ARGV[4] life of both keys, ms
-- returns 1 when it was written, 0 when the call had been answered before
if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[4]) then
  return 0
end
redis.call('XADD', KEYS[2], '*', 'call', ARGV[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1
