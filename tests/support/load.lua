-- What wrk sends in the benches: wrk -s load.lua URL -- KEY=VALUE...
--   ids=N         each request is for one of the items bench/0000000000 to N-1 below URL/data/, at random
--   ids=new       each request is for another item, which nobody has; without ids all requests are for URL itself
--   method=PUT    instead of GET
--   bytes=N       of the value that a PUT writes: random ones, the same in each request
--   users=N       each request names one of N users, at random
--   query=TEXT    each request ends in ?TEXT; not with users
-- At the end one line: figures REQUESTS RATE P50_MS P99_MS REFUSED BROKEN

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

-- A request around its id.
local head, tail
local ids, users, query

local function random_bytes(count)
  local bytes = {}
  for i = 1, count do bytes[i] = string.char(math.random(0, 255)) end
  return table.concat(bytes)
end

function init(arguments)
  local given = {}
  for _, argument in ipairs(arguments) do
    local key, value = argument:match("^(%w+)=(.+)$")
    given[key] = value
  end
  math.randomseed(os.time() * 16 + number)
  if not given.ids then
    request = nil -- wrk then makes the request once, which costs it less
    return
  end
  ids, users, query = tonumber(given.ids), tonumber(given.users), given.query
  local body = given.bytes and random_bytes(tonumber(given.bytes))
  local whole = wrk.format(given.method, "/data/bench/@", nil, body)
  local mark = whole:find("@", 1, true)
  head, tail = whole:sub(1, mark - 1), whole:sub(mark + 1)
end

function request()
  local id = ids and string.format("%010d", math.random(0, ids - 1))
    or string.format("%08x%08x", math.random(0, 0x7fffffff), math.random(0, 0x7fffffff))
  if users then
    id = id .. "?user=u" .. math.random(1, users)
  elseif query then
    id = id .. "?" .. query
  end
  return head .. id .. tail
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format("figures %d %.1f %.3f %.3f %d %d", summary.requests, summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
