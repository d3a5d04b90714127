-- FusionPBX's own database layer: its settings file says where, its quoting fills in parameters.

local fusionpbx = {}

-- Call `work` with a connection, which is given back whatever happens.
-- Returns what `work` does, or nil and the error's text.
function fusionpbx.with_database(work)
  local found, Database = pcall(require, "resources.functions.database")
  if not found then return nil, "FusionPBX's scripts are missing: " .. tostring(Database) end
  local connected, dbh = pcall(Database.new, "system")
  if not connected then return nil, "no database: " .. tostring(dbh) end
  local done, result = pcall(work, dbh)
  pcall(dbh.release, dbh)
  if not done then return nil, tostring(result) end
  return result
end

-- Every row of a statement, as tables of text. An SQL null is "" or nil, by FreeSWITCH's version:
-- statements coalesce. Raises an error when the statement fails.
function fusionpbx.rows(dbh, sql, parameters)
  local rows = {}
  local ok, problem = dbh:query(sql, parameters, function(row)
    rows[#rows + 1] = row
    return 0
  end)
  if not ok then error("statement failed: " .. tostring(problem or "see FreeSWITCH's log"), 0) end
  return rows
end

-- A setting of FusionPBX's default settings (category voice_ai), else the default.
function fusionpbx.setting(dbh, name, default)
  local sql = [[select default_setting_value as value from v_default_settings
    where default_setting_category = 'voice_ai' and default_setting_subcategory = :name
      and cast(default_setting_enabled as text) = 'true' limit 1]]
  local row = fusionpbx.rows(dbh, sql, { name = name })[1]
  if row == nil or row.value == nil or row.value == "" then return default end
  return row.value
end

function fusionpbx.log(level, text)
  freeswitch.consoleLog(level, "[voice_ai] " .. tostring(text) .. "\n")
end

return fusionpbx
