-- How callers are answered outside the hours, in which languages, and by which time condition of
-- FusionPBX the hours go.
--
-- No default is set on a table in use: NULL means the default to the program.

select voice_ai_column(of_table, name, type, null, false) from (values
  ('v_voice_secretaries_realtime', 'languages', 'jsonb'),
  ('v_voice_secretaries_realtime', 'time_condition', 'character varying(255)'),
  ('v_voice_secretaries_realtime', 'closed_action', 'character varying(20)'),
  ('v_voice_secretaries_realtime', 'closed_message', 'text'),
  ('v_voice_secretaries_realtime', 'closed_prompt', 'text'),
  ('v_voice_realtime_settings', 'company_name', 'text')
) as columns (of_table, name, type);

select voice_ai_constraint(of_table, name, definition) from (values
  ('v_voice_secretaries_realtime', 'chk_voice_secretaries_realtime_closed_action',
    'check (closed_action in (''hand_back'', ''answer'')) not valid')
) as constraints (of_table, name, definition);
