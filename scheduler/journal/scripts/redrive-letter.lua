-- Appends a dead letter's entry to its source stream again and deletes the letter: both or nothing.
-- KEYS[1] dead letters   KEYS[2] source stream
-- ARGV[1] id of the letter
-- returns the new entry's id, or `-gone`, `-lost` (no payload left), `-large` (more fields than a script can pass on)
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then
  return '-gone'
end
local fields = found[1][2]
local payload = ''
for i = 1, #fields, 2 do
  if fields[i] == 'payload' then
    payload = fields[i + 1]
  end
end

-- payload is a RESP array of bulk strings: *<n> CR LF, n times $<length> CR LF <bytes> CR LF
local position = 1
local function header(mark)
  local stop = string.find(payload, '\r\n', position, true)
  if not stop or string.sub(payload, position, position) ~= mark then
    return nil
  end
  local value = tonumber(string.sub(payload, position + 1, stop - 1))
  position = stop + 2
  return value
end

local count = header('*')
if not count or count < 2 then
  return '-lost'
end
if count > 7000 then
  return '-large'
end
local args = {}
for i = 1, count do
  local length = header('$')
  if not length then
    return '-lost'
  end
  args[i] = string.sub(payload, position, position + length - 1)
  position = position + length + 2
end
local id = redis.call('XADD', KEYS[2], '*', unpack(args))
redis.call('XDEL', KEYS[1], ARGV[1])
return id
