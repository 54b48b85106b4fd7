-- Keeps what came of executions of a registration.
-- KEYS[1] those of the registration
-- ARGV[1] most of them   ARGV[2] life of the newest, ms   ARGV[3...] one JSON text each, oldest first
for at = 3, #ARGV do
  redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[1], '*', 'run', ARGV[at])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
