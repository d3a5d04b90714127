-- What FusionPBX's app.lua does for a ring group: rings its members, and ends with why nobody came.
local domain_name = argv[1]
local legs = {}
for n = 2, #argv do
  legs[#legs + 1] = "[leg_timeout=4]user/" .. argv[n] .. "@" .. domain_name
end
session:setVariable("hangup_after_bridge", "true")
session:setVariable("continue_on_fail", "true")
session:setVariable("call_timeout", "4")
session:execute("bridge", table.concat(legs, ","))
if session:ready() and session:getVariable("bridge_result") ~= "success" then
  session:hangup(session:getVariable("originate_disposition") or "NO_ANSWER")
end
