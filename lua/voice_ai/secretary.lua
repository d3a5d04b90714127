-- Who answers a number, and how. The controller asks the same of the same tables
-- (database/repository/secretaries.py, tenants/source.py); a test runs both on one database.

local check = require "voice_ai.check"
local fusionpbx = require "voice_ai.fusionpbx"

local secretary = {}

local DOMAIN = [[select cast(domain_uuid as text) as uuid, domain_name as name from v_domains
  where lower(domain_name) = lower(:name) limit 2]]

local EXTENSION = [[select extension from v_extensions
  where domain_uuid = :domain_uuid and (extension = :number or number_alias = :number)
    and cast(enabled as text) = 'true' limit 1]]

-- Installations call the flag `enabled` or `is_enabled`, boolean or text: read through JSON.
local TURN_BASED = [[select secretary_name as name,
    cast(voice_secretary_uuid as text) as uuid,
    coalesce(nullif(processing_mode, ''), 'turn_based') as mode,
    coalesce(to_jsonb(s)->>'transfer_extension', '') as person
  from v_voice_secretaries s
  where domain_uuid = :domain_uuid and extension = :number
    and coalesce(to_jsonb(s)->>'is_enabled', to_jsonb(s)->>'enabled', 'true') = 'true'
  limit 1]]

local REALTIME = [[select secretary_name as name,
    cast(secretary_realtime_uuid as text) as uuid, 'realtime' as mode,
    coalesce(fallback_extension, '') as person
  from v_voice_secretaries_realtime
  where domain_uuid = :domain_uuid and extension = :number and enabled
  order by created_at desc limit 1]]

local MODES = { turn_based = true, realtime = true, auto = true }

-- The domain of a channel: its own, else the one domain with the name it gives, else the one its
-- context is named after. nil without any.
function secretary.domain_uuid(dbh, channel)
  if (channel.domain_uuid or "") ~= "" then return check.uuid(channel.domain_uuid) end
  for _, told in ipairs({ channel.domain_name or "", channel.context or "" }) do
    local name = check.domain_name(told)
    local found = name and fusionpbx.rows(dbh, DOMAIN, { name = name }) or {}
    if #found == 1 then return found[1].uuid end
  end
  return nil
end

-- How a number is answered: { mode, name, uuid, person }. The mode is `none` where nobody of ours
-- has the number, or a telephone has it.
function secretary.of_number(dbh, domain_uuid, number)
  local key = { domain_uuid = check.uuid(domain_uuid), number = check.dialable(number) }
  if key.domain_uuid == nil or key.number == nil then return { mode = "none" } end
  if fusionpbx.rows(dbh, EXTENSION, key)[1] ~= nil then return { mode = "none" } end
  local turn_based = fusionpbx.rows(dbh, TURN_BASED, key)[1]
  local realtime = fusionpbx.rows(dbh, REALTIME, key)[1]
  local found = turn_based or realtime
  if found == nil then return { mode = "none" } end
  local person = check.dialable(realtime and realtime.person or "")
    or check.dialable(turn_based and turn_based.person or "")
  local mode = MODES[found.mode] and found.mode or "turn_based"
  local whose = mode == "turn_based" and turn_based or realtime or turn_based
  return { mode = mode, name = whose.name, uuid = whose.uuid, person = person }
end

return secretary
