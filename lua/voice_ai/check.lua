-- What a caller or a table may have written, before it is used anywhere. Nothing else goes into a
-- statement, a dial plan destination or a command line.

local check = {}

-- A UUID in lower case, else nil.
function check.uuid(value)
  value = type(value) == "string" and value:lower() or ""
  local pattern = "^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$"
  return value:match(pattern)
end

-- A number or name that a dialplan can be sent to, else nil: as DIALABLE of esl/dialable.py. No
-- leading hyphen, which FreeSWITCH would take for an option.
function check.dialable(value)
  if type(value) ~= "string" or #value > 32 then return nil end
  return value:match("^[%w*#+._][%w*#+._-]*$")
end

-- The name of a domain, in letters of any language, without port and last dot, else nil.
function check.domain_name(value)
  if type(value) ~= "string" or #value > 261 then return nil end
  local name = value:gsub("^%s+", ""):gsub("%s+$", ""):gsub(":%d+$", ""):gsub("%.$", "")
  return name:match("^[%w._\128-\255-]+$")
end

-- An http address that a shell has nothing to find in, else nil.
function check.http_url(value)
  if type(value) ~= "string" or #value > 200 then return nil end
  return value:match("^https?://[%w.%[%]:-]+/?[%w/._-]*$")
end

-- Text for a channel variable: one line, without what FreeSWITCH would expand.
function check.text(value)
  return (tostring(value or ""):gsub("[%c${}]", " "):sub(1, 100))
end

return check
