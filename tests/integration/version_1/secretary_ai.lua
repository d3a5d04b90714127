-- A stand-in for version 1's script: it answers, asks its service what to do, and does it. What the
-- realtime AI and the caller have said goes along as conversation_history, as its /chat takes it.

local history = require "voice_ai.history"

local URL = "http://127.0.0.1:8100/api/v1/chat"

local function quoted(text)
  return '"' .. tostring(text or ""):gsub('[%c"\\]', function(c)
    return string.format("\\u%04x", c:byte())
  end) .. '"'
end

local function request()
  local turns = {}
  for _, turn in ipairs(history.of_call(session)) do
    turns[#turns + 1] = '{"role":' .. quoted(turn.role) .. ',"content":' .. quoted(turn.content) .. "}"
  end
  return '{"session_id":' .. quoted(session:getVariable("uuid"))
    .. ',"domain_uuid":' .. quoted(session:getVariable("domain_uuid"))
    .. ',"secretary_id":' .. quoted(session:getVariable("voice_ai_secretary_uuid"))
    .. ',"user_message":"","conversation_history":[' .. table.concat(turns, ",") .. "]}"
end

session:answer()
local body = os.tmpname()
local file = io.open(body, "w")
file:write(request())
file:close()
local pipe = io.popen("curl --silent --max-time 5 --data-binary @" .. body .. " " .. URL)
local action = pipe:read("*a"):match('"action":%s*"(%a+)"')
pipe:close()
os.remove(body)
if action == "realtime" then
  session:execute("transfer", "voice_ai_realtime XML " .. session:getVariable("context"))
elseif action == "continue" then
  session:execute("playback", "tone_stream://%(20000,0,777)")
end
