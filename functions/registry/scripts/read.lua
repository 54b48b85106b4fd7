-- The whole registry at one revision.
-- KEYS[1] revision (string)   KEYS[2] functions (hash)   KEYS[3] registrations (hash)   KEYS[4] epoch (string)
-- ARGV[1] begin of the keys of routes, same slot: a registration's id behind it is the key of its list
-- Returns { revision, { name, function, … }, { id, registration, { route, … }, … }, epoch }
local registrations = {}
local stored = redis.call('HGETALL', KEYS[3])
for i = 1, #stored, 2 do
  registrations[#registrations + 1] = stored[i]
  registrations[#registrations + 1] = stored[i + 1]
  registrations[#registrations + 1] = redis.call('LRANGE', ARGV[1] .. stored[i], 0, -1)
end
return { redis.call('GET', KEYS[1]) or '0', redis.call('HGETALL', KEYS[2]), registrations, redis.call('GET', KEYS[4]) or '' }
