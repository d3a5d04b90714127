alter table if exists v_voice_secretaries_realtime
  drop column if exists languages, drop column if exists time_condition,
  drop column if exists closed_action, drop column if exists closed_message,
  drop column if exists closed_prompt;
alter table if exists v_voice_realtime_settings drop column if exists company_name;
