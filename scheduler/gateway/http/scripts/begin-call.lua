-- Takes a call with an idempotency key up, or says what has become of it.
-- KEYS[1] the key's record
-- ARGV[1] who asks   ARGV[2] what the call is (hash)   ARGV[3] life of a sign of life, ms   ARGV[4] life of the record, ms
-- returns {'run'}, {'wait'}, {'mismatch'}, {'interrupted'} or {'done', reply, duration}
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known = redis.call('HMGET', KEYS[1], 'call', 'state', 'until', 'reply', 'durationMs')
if not known[1] then
  redis.call('HSET', KEYS[1], 'call', ARGV[2], 'state', 'running', 'owner', ARGV[1], 'until', string.format('%.0f', now + ARGV[3]))
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return {'run'}
end
if known[1] ~= ARGV[2] then
  return {'mismatch'}
end
if known[2] == 'done' then
  return {'done', known[4], known[5]}
end
-- Whoever ran it gives no sign of life any more: it may have run in part, so nobody runs it again.
if known[2] == 'running' and tonumber(known[3]) < now then
  redis.call('HSET', KEYS[1], 'state', 'interrupted')
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  known[2] = 'interrupted'
end
if known[2] == 'interrupted' then
  return {'interrupted'}
end
return {'wait'}
