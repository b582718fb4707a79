-- Sends the raw requests of a file in turn and writes the outcome as JSON.
local requests, turn = {}, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  for text in (file:read("*a")):gmatch("%Z+") do
    requests[#requests + 1] = text
  end
  file:close()
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

function done(summary, latency)
  local errors = summary.errors
  local failures = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\n{"requests":%d,"failures":%d,"micros":%d,"p50":%d,"p99":%d}\n',
    summary.requests, failures, summary.duration, latency:percentile(50), latency:percentile(99)
  ))
end
