-- voice_ai_turn_based.lua: gives the caller to version 1, if that is there.
--
-- Returns with the call alive when it is not, or did nothing; the dialplan then looks for a person.
-- FusionPBX's default settings voice_ai / service_url say where version 1's service is, and
-- voice_ai / turn_based_script which script of it serves the caller.

local check = require "voice_ai.check"
local fusionpbx = require "voice_ai.fusionpbx"

local SERVICE_URL = "http://127.0.0.1:8100"
local SCRIPT = "secretary_ai.lua"

local function settings()
  local found = fusionpbx.with_database(function(dbh)
    return {
      url = fusionpbx.setting(dbh, "service_url", SERVICE_URL),
      script = fusionpbx.setting(dbh, "turn_based_script", SCRIPT),
    }
  end)
  return found or { url = SERVICE_URL, script = SCRIPT }
end

-- Whether the service answers, within a second. mod_lua has no sockets, and mod_curl need not be
-- loaded: the address is plain (check.http_url), so the shell has nothing to read in it.
local function answers(url)
  local plain = check.http_url(url)
  if plain == nil then return false, "its address cannot be used" end
  local command = "curl --silent --output /dev/null --max-time 1 --write-out '%{http_code}' '"
    .. plain:gsub("/$", "") .. "/health' 2>/dev/null"
  local pipe = io.popen(command)
  local code = pipe and tonumber(pipe:read("*a") or "")
  if pipe then pipe:close() end
  if code == nil then return false, "curl is missing" end
  return code >= 200 and code < 500, "it answers " .. code
end

local wanted = settings()
local alive, why = answers(wanted.url)
local script = wanted.script:match("^[%w][%w/._-]*%.lua$")
if alive and script and not script:find("..", 1, true) then
  session:execute("lua", script)
else
  fusionpbx.log("warning", "version 1 does not take the caller: "
    .. (alive and "turn_based_script is no name of a script" or why))
end
