-- What a caller and the realtime AI have said to each other: for whoever takes the caller next.
--
--   local history = require "voice_ai.history"
--   for _, turn in ipairs(history.of_call(session)) do … turn.role, turn.content … end
--
-- This is what version 1's /chat takes as conversation_history.

local check = require "voice_ai.check"
local fusionpbx = require "voice_ai.fusionpbx"

local history = {}

-- The end of a conversation is written within half a second of it; a busy database may be later.
history.LONGEST_WAIT_MS = 1500
local STEP_MS = 100
local MAX_TURNS = 40

local ENDED = [[select case when ended_at is null then 'no' else 'yes' end as ended
  from v_voice_conversations_realtime
  where domain_uuid = :domain_uuid and conversation_uuid = :conversation_uuid]]

local TURNS = [[select role, content from v_voice_turns_realtime
  where domain_uuid = :domain_uuid and conversation_uuid = :conversation_uuid
    and role in ('user', 'assistant') and content <> ''
  order by turn_number desc, started_at desc limit ]] .. MAX_TURNS

local function wait_for_its_end(dbh, key, sleep)
  for _ = 0, history.LONGEST_WAIT_MS, STEP_MS do
    local row = fusionpbx.rows(dbh, ENDED, key)[1]
    if row and row.ended == "yes" then return end
    sleep(STEP_MS)
  end
end

-- Turns of a conversation, oldest first: { { role = "user", content = "…" }, … }.
function history.of(dbh, domain_uuid, conversation_uuid, sleep)
  local key = {
    domain_uuid = check.uuid(domain_uuid), conversation_uuid = check.uuid(conversation_uuid),
  }
  if key.domain_uuid == nil or key.conversation_uuid == nil then return {} end
  wait_for_its_end(dbh, key, sleep)
  local turns = {}
  for _, row in ipairs(fusionpbx.rows(dbh, TURNS, key)) do
    table.insert(turns, 1, { role = row.role, content = row.content })
  end
  return turns
end

-- The same for the caller of a session; empty when there was none, or it is not stored.
function history.of_call(call)
  local conversation_uuid = call:getVariable("voice_ai_conversation")
  if (conversation_uuid or "") == "" then return {} end
  local domain_uuid = call:getVariable("domain_uuid")
  local function sleep(ms) freeswitch.msleep(ms) end
  local turns, problem = fusionpbx.with_database(function(dbh)
    return history.of(dbh, domain_uuid, conversation_uuid, sleep)
  end)
  if turns == nil then fusionpbx.log("err", "conversation so far: " .. problem) end
  return turns or {}
end

return history
