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

do $$
declare said record;
begin
  for said in
    select t.*, a.attrelid, a.attnum from (values
  ('v_voice_secretaries_realtime', 'languages',
    'Other languages the caller may change to, by asking or by speaking one: the AI and our own phrases follow.'),
  ('v_voice_secretaries_realtime', 'time_condition',
    'Number or name of a time condition of the domain in FusionPBX, whose hours and holidays are used in place of `business_hours`.'),
  ('v_voice_secretaries_realtime', 'closed_action',
    'What becomes of calls outside the hours: given back to the dialplan, or answered by the AI, which says that it is closed and when it opens.'),
  ('v_voice_secretaries_realtime', 'closed_message',
    'What it says first then; empty: ours, with the time it opens.'),
  ('v_voice_secretaries_realtime', 'closed_prompt',
    'What it can still do then, added to its instructions.'),
  ('v_voice_realtime_settings', 'company_name',
    'What `{{company}}` stands for in texts; empty: the domain''s name.')
    ) as t (of_table, column_name, meaning)
    join pg_attribute a on a.attrelid = to_regclass(t.of_table) and a.attname = t.column_name
  loop
    if coalesce(col_description(said.attrelid, said.attnum), '') <> said.meaning then
      execute format('comment on column %I.%I is %L', said.of_table, said.column_name, said.meaning);
    end if;
  end loop;
end $$;
