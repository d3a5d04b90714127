-- The four kinds of before. Rows of others stay, and cannot be written again.
do $$
declare
  held record;
  others boolean;
begin
  for held in select * from (values
    ('v_voice_realtime_providers', 'chk_voice_realtime_providers_provider'),
    ('v_voice_secretaries_realtime', 'chk_voice_secretaries_realtime_provider')
  ) as constraints (of_table, constraint_name) loop
    execute format('select exists (select from %I where realtime_provider not in '
      '(''openai'', ''elevenlabs'', ''gemini'', ''custom''))', held.of_table) into others;
    perform voice_ai_constraint(held.of_table, held.constraint_name,
      'check (realtime_provider in (''openai'', ''elevenlabs'', ''gemini'', ''custom''))'
      || case when others then ' not valid' else '' end);
  end loop;
end $$;
