-- get_secretary_mode.lua: tells the dialplan who answers the number that was called.
--
--   <action application="lua" data="get_secretary_mode.lua" inline="true"/>
--
-- Sets voice_ai_mode to realtime, turn_based, auto or none (a telephone's number, or nobody's).
-- It stays unset when that cannot be found out; then the controller decides, which remembers.
-- Besides: voice_ai_extension, voice_ai_secretary_uuid, voice_ai_secretary_name, voice_ai_person
-- (who takes the caller should all else fail), and domain_uuid where the channel had none.

local check = require "voice_ai.check"
local fusionpbx = require "voice_ai.fusionpbx"
local secretary = require "voice_ai.secretary"

local SET = {
  "voice_ai_mode", "voice_ai_extension", "voice_ai_secretary_uuid", "voice_ai_secretary_name",
  "voice_ai_person",
}

local function channel_data()
  return {
    number = session:getVariable("destination_number"),
    domain_uuid = session:getVariable("domain_uuid"),
    domain_name = session:getVariable("domain_name"),
    context = session:getVariable("context"),
  }
end

local function look_up(dbh, channel)
  local domain_uuid = secretary.domain_uuid(dbh, channel)
  local found = secretary.of_number(dbh, domain_uuid, channel.number)
  found.domain_uuid = domain_uuid
  return found
end

local function tell(channel, found)
  session:setVariable("voice_ai_mode", found.mode)
  if found.mode == "none" then return end
  if (channel.domain_uuid or "") == "" then
    session:setVariable("domain_uuid", found.domain_uuid)
  end
  session:setVariable("voice_ai_extension", channel.number)
  session:setVariable("voice_ai_secretary_uuid", check.uuid(found.uuid) or "")
  session:setVariable("voice_ai_secretary_name", check.text(found.name))
  session:setVariable("voice_ai_person", found.person or "")
end

for _, name in ipairs(SET) do session:setVariable(name, "") end
local channel = channel_data()
local found, problem = fusionpbx.with_database(function(dbh) return look_up(dbh, channel) end)
if found then
  tell(channel, found)
else
  fusionpbx.log("err", "who answers " .. check.text(channel.number) .. "? " .. problem)
end
