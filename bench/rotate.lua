-- Requests from a file, one a line ("PATH TOKEN"), in turn: tokens, apps and operations rotate.
local requests = {}
local at = 0

function init(args)
  for line in io.lines(args[1]) do
    local path, token = line:match("^(%S+) ?(%S*)$")
    local headers = {["Accept"] = "application/json"}
    if token ~= "" then headers["Authorization"] = "Bearer " .. token end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
  math.randomseed(os.time())
  at = math.random(#requests)  -- a short slice does not always see the same ones
end

function request()
  at = at + 1
  if at > #requests then at = 1 end
  return requests[at]
end
