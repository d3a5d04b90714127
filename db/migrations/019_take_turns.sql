-- How an interruption is taken, and what is known of a call's echo. Limits and meanings are those of
-- esl_controller/tenants/columns.

-- With their defaults, so that no row is written: one from before 016's limits would be refused.
-- What FusionPBX has made already is completed by voice_ai_column.
alter table v_voice_secretaries_realtime
  add column if not exists turn_detector character varying(20) not null default 'provider',
  add column if not exists resume_after_noise boolean not null default true,
  add column if not exists ignore_back_channels boolean not null default true,
  add column if not exists greeting_barge_in boolean not null default true,
  add column if not exists legal_notice text,
  add column if not exists comfort_sound boolean not null default false;

select voice_ai_column('v_voice_secretaries_realtime', name, type, preset, required) from (values
  ('turn_detector', 'character varying(20)', '''provider''', true),
  ('resume_after_noise', 'boolean', 'true', true),
  ('ignore_back_channels', 'boolean', 'true', true),
  ('greeting_barge_in', 'boolean', 'true', true),
  ('legal_notice', 'text', null, false),
  ('comfort_sound', 'boolean', 'false', true)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_secretaries_realtime',
  'chk_voice_secretaries_realtime_turn_detector',
  'check (turn_detector in (''provider'', ''own''))');

alter table v_voice_conversations_realtime
  add column if not exists resumptions integer not null default 0,
  add column if not exists echo_delay_ms integer,
  add column if not exists echo_level_db numeric(5,1);

select voice_ai_column('v_voice_conversations_realtime', name, type, preset, required) from (values
  ('resumptions', 'integer', '0', true),
  ('echo_delay_ms', 'integer', null, false),
  ('echo_level_db', 'numeric(5,1)', null, false)
) as columns (name, type, preset, required);

do $$
declare
  said record;
begin
  for said in
    select t.*, a.attrelid, a.attnum from (values
  ('v_voice_secretaries_realtime', 'turn_detector',
    'Who finds the caller''s turns: the provider, or our own ear, where the provider lets it.'),
  ('v_voice_secretaries_realtime', 'resume_after_noise',
    'A sound without words does not interrupt: the AI goes on where it stopped.'),
  ('v_voice_secretaries_realtime', 'ignore_back_channels',
    '"Uh-huh" and the like do not interrupt either.'),
  ('v_voice_secretaries_realtime', 'greeting_barge_in',
    'The caller may interrupt what it says first.'),
  ('v_voice_secretaries_realtime', 'legal_notice',
    'Said before everything else; nobody can interrupt it, or the first message after it.'),
  ('v_voice_secretaries_realtime', 'comfort_sound',
    'A soft sound while a function works.'),
  ('v_voice_conversations_realtime', 'resumptions',
    'Answers gone on with after a sound that was no interruption.'),
  ('v_voice_conversations_realtime', 'echo_delay_ms',
    'How late our own voice came back from the caller''s line; empty: it did not.'),
  ('v_voice_conversations_realtime', 'echo_level_db', 'How loud, of what was sent.')
    ) as t (of_table, column_name, meaning)
    join pg_attribute a on a.attrelid = to_regclass(t.of_table) and a.attname = t.column_name
  loop
    if coalesce(col_description(said.attrelid, said.attnum), '') <> said.meaning then
      execute format('comment on column %I.%I is %L', said.of_table, said.column_name, said.meaning);
    end if;
  end loop;
end $$;
