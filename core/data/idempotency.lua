-- One step on an idempotency record, for every language (SPEC.md, section 14, "Idempotency records").
--
-- KEYS[1] is the record; ARGV is the step and what it takes:
--   begin, fingerprint, lease_millis, ttl_millis      gives {"new", number}, {"replay", status, body}, {"in_progress"},
--   take_over, the same                               {"conflict"} or {"outcome_unknown"}
--   complete, number, ttl_millis, status, body        gives {"stored"} or {"stale"}
--   give_back, number, ttl_millis                     gives {"stored"} or {"stale"}
local record, step = KEYS[1], ARGV[1]
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fingerprint, number, lease_end, status, body =
  unpack(redis.call("HMGET", record, "fingerprint", "number", "lease_end", "status", "body"))

-- Lua's own conversion of a number to text keeps 14 digits.
local function digits(whole)
  return string.format("%.0f", whole)
end

if step == "begin" or step == "take_over" then
  local lease, ttl = tonumber(ARGV[3]), tonumber(ARGV[4])
  if fingerprint then
    if fingerprint ~= ARGV[2] then
      return { "conflict" }
    elseif status then
      return { "replay", status, body }
    elseif now < tonumber(lease_end) then
      return { "in_progress" }
    elseif step == "begin" then
      return { "outcome_unknown" }
    end
  end
  number = digits(math.max(now, (tonumber(number) or 0) + 1))
  redis.call("HSET", record, "fingerprint", ARGV[2], "number", number, "lease_end", digits(now + lease))
  redis.call("PEXPIRE", record, digits(lease + ttl))
  return { "new", number }
end

if not fingerprint or number ~= ARGV[2] then
  return { "stale" }
elseif step == "complete" then
  if status and (status ~= ARGV[4] or body ~= ARGV[5]) then
    return { "stale" }
  end
  redis.call("HSET", record, "status", ARGV[4], "body", ARGV[5])
elseif status then
  return { "stale" }
else
  redis.call("HDEL", record, "fingerprint", "lease_end")
end
redis.call("PEXPIRE", record, ARGV[3])
return { "stored" }
