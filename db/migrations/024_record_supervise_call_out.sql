-- Recordings, with the consent of who is recorded; what people did to calls; calls that we make.
--
-- No default is set on a table in use: NULL means the default to the program, and rows from before
-- the limits of 016 may not be touched.

select voice_ai_column(of_table, name, type, null, false) from (values
  ('v_voice_secretaries_realtime', 'record_calls', 'boolean'),
  ('v_voice_secretaries_realtime', 'recording_consent', 'character varying(20)'),
  ('v_voice_secretaries_realtime', 'recording_notice', 'text'),
  ('v_voice_secretaries_realtime', 'recording_pause_words', 'jsonb'),
  ('v_voice_secretaries_realtime', 'voicemail_message', 'text'),
  ('v_voice_realtime_settings', 'outbound_max_concurrent', 'integer'),
  ('v_voice_realtime_settings', 'outbound_per_hour', 'integer'),
  ('v_voice_realtime_settings', 'outbound_per_day', 'integer'),
  ('v_voice_realtime_settings', 'outbound_caller_id', 'character varying(32)'),
  ('v_voice_conversations_realtime', 'direction', 'character varying(10)'),
  ('v_voice_conversations_realtime', 'answered_by', 'character varying(20)'),
  ('v_voice_conversations_realtime', 'recording_consent', 'character varying(20)'),
  ('v_voice_conversations_realtime', 'recording_started_at', 'timestamptz'),
  ('v_voice_conversations_realtime', 'record_path', 'text'),
  ('v_voice_conversations_realtime', 'record_name', 'text')
) as columns (of_table, name, type);

select voice_ai_constraint(of_table, name, definition) from (values
  ('v_voice_secretaries_realtime', 'chk_voice_secretaries_realtime_recording_consent',
    'check (recording_consent in (''none'', ''announce'', ''ask'')) not valid'),
  ('v_voice_realtime_settings', 'chk_voice_realtime_settings_outbound_max_concurrent',
    'check (outbound_max_concurrent between 0 and 1000) not valid'),
  ('v_voice_realtime_settings', 'chk_voice_realtime_settings_outbound_per_hour',
    'check (outbound_per_hour between 0 and 100000) not valid'),
  ('v_voice_realtime_settings', 'chk_voice_realtime_settings_outbound_per_day',
    'check (outbound_per_day between 0 and 1000000) not valid')
) as constraints (of_table, name, definition);

-- What people did to calls: listened, told the model something, took a call over, hung up. A row is
-- written before the act and again with its result. It outlives the conversation, without its words.
create table if not exists v_voice_audits_realtime (audit_uuid uuid primary key);

select voice_ai_column('v_voice_audits_realtime', name, type, preset, required) from (values
  ('audit_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('call_uuid', 'character varying(255)', null, true),
  ('actor', 'character varying(255)', null, true),
  ('action', 'character varying(40)', null, true),
  ('detail', 'text', null, false),
  ('result', 'character varying(40)', null, true),
  ('error', 'text', null, false),
  ('worker', 'character varying(255)', null, false),
  ('acted_at', 'timestamptz', null, true),
  ('decided_at', 'timestamptz', null, false)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_audits_realtime', name, definition) from (values
  ('fk_voice_audits_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade')
) as constraints (name, definition);
create index if not exists idx_voice_audits_realtime_domain
  on v_voice_audits_realtime (domain_uuid, acted_at);
create index if not exists idx_voice_audits_realtime_call
  on v_voice_audits_realtime (domain_uuid, call_uuid);

-- Calls to be made, and what became of them. A worker takes one by lease: lease_until is in the future
-- for as long as it is at work on it. Who finds an old one takes it over.
create table if not exists v_voice_outbound_realtime (outbound_uuid uuid primary key);

select voice_ai_column('v_voice_outbound_realtime', name, type, preset, required) from (values
  ('outbound_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('extension', 'character varying(100)', null, true),
  ('number', 'character varying(64)', null, true),
  ('caller_id', 'character varying(64)', null, false),
  ('purpose', 'text', null, false),
  ('origin', 'character varying(20)', null, true),
  ('requested_by', 'character varying(255)', null, false),
  ('conversation_uuid', 'uuid', null, false),
  ('not_before', 'timestamptz', null, true),
  ('not_after', 'timestamptz', null, true),
  ('max_attempts', 'integer', '3', true),
  ('attempts', 'integer', '0', true),
  ('last_attempt_at', 'timestamptz', null, false),
  ('status', 'character varying(20)', '''waiting''', true),
  ('answered_by', 'character varying(20)', null, false),
  ('cause', 'character varying(64)', null, false),
  ('call_uuid', 'character varying(255)', null, false),
  ('worker', 'character varying(255)', null, false),
  ('lease_until', 'timestamptz', null, false),
  ('created_at', 'timestamptz', 'now()', true),
  ('ended_at', 'timestamptz', null, false)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_outbound_realtime', name, definition) from (values
  ('fk_voice_outbound_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('chk_voice_outbound_realtime_status',
    'check (status in (''waiting'', ''calling'', ''done'', ''failed'', ''expired'', ''cancelled''))')
) as constraints (name, definition);
create index if not exists idx_voice_outbound_realtime_domain
  on v_voice_outbound_realtime (domain_uuid, created_at);
create index if not exists idx_voice_outbound_realtime_open
  on v_voice_outbound_realtime (not_before) where status in ('waiting', 'calling');

do $$
declare
  said record;
begin
  for said in
    select t.*, a.attrelid, a.attnum from (values
  ('v_voice_secretaries_realtime', 'record_calls',
    'Whether calls are recorded, in stereo, where FusionPBX looks for recordings.'),
  ('v_voice_secretaries_realtime', 'recording_consent',
    'What callers are told of it: nothing, that they are recorded, or also that they may refuse.'
    ' What is said before the notice was heard is silence in the recording.'),
  ('v_voice_secretaries_realtime', 'recording_notice',
    'The words of that notice; empty: ours, in its language.'),
  ('v_voice_secretaries_realtime', 'recording_pause_words',
    'Words of either side after which the recording pauses, as before a card number; empty: ours, '
    'in its language.'),
  ('v_voice_secretaries_realtime', 'voicemail_message',
    'What is left on an answering machine we reach; empty: nothing, we hang up.'),
  ('v_voice_realtime_settings', 'outbound_max_concurrent',
    'Calls we make at once; 0: we make none.'),
  ('v_voice_realtime_settings', 'outbound_per_hour',
    'Calls we make in an hour at most; empty: no limit.'),
  ('v_voice_realtime_settings', 'outbound_per_day',
    'Calls we make in 24 hours at most; empty: no limit.'),
  ('v_voice_realtime_settings', 'outbound_caller_id',
    'Number shown to who is called; empty: the secretary''s own.')
    ) as t (of_table, column_name, meaning)
    join pg_attribute a on a.attrelid = to_regclass(t.of_table) and a.attname = t.column_name
  loop
    if coalesce(col_description(said.attrelid, said.attnum), '') <> said.meaning then
      execute format('comment on column %I.%I is %L', said.of_table, said.column_name, said.meaning);
    end if;
  end loop;
end $$;
