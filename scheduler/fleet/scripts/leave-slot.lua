-- Gives our slot up; its number stays in the set, for what its consumer may still have pending.
-- KEYS[1] our slot key
-- ARGV[1] begin of the record that names our lease
-- returns 1 when it was ours, else 0
local present = redis.call('GET', KEYS[1])
if present and string.sub(present, 1, #ARGV[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  return 1
end
return 0
