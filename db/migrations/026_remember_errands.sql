-- What must happen even if the other side is down: webhooks, e-mails, tickets, messages, summaries.
--
-- A worker takes an errand by lease: lease_until is in the future for as long as it is at work on
-- it. Who finds an old one takes it over; the other side knows a repetition by the idempotency key.

create table if not exists v_voice_realtime_errands (errand_uuid uuid primary key);

select voice_ai_column('v_voice_realtime_errands', name, type, preset, required) from (values
  ('errand_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('conversation_uuid', 'uuid', null, false),
  ('kind', 'character varying(40)', null, true),
  ('idempotency_key', 'character varying(255)', null, true),
  ('payload', 'jsonb', '''{}''', true),
  ('not_before', 'timestamptz', null, true),
  ('created_at', 'timestamptz', 'now()', true),
  ('waits_for', 'uuid', null, false),
  ('state', 'character varying(20)', '''queued''', true),
  ('attempts', 'integer', '0', true),
  ('next_at', 'timestamptz', null, true),
  ('first_attempt_at', 'timestamptz', null, false),
  ('last_attempt_at', 'timestamptz', null, false),
  ('last_error', 'text', null, false),
  ('result', 'jsonb', null, false),
  ('worker', 'character varying(255)', null, false),
  ('lease_until', 'timestamptz', null, false),
  ('ended_at', 'timestamptz', null, false)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_realtime_errands', name, definition) from (values
  ('fk_voice_realtime_errands_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('uq_voice_realtime_errands_key', 'unique (domain_uuid, kind, idempotency_key)'),
  ('chk_voice_realtime_errands_state',
    'check (state in (''queued'', ''running'', ''delivered'', ''dead''))')
) as constraints (name, definition);
create index if not exists idx_voice_realtime_errands_domain
  on v_voice_realtime_errands (domain_uuid, created_at);
create index if not exists idx_voice_realtime_errands_conversation
  on v_voice_realtime_errands (domain_uuid, conversation_uuid);
create index if not exists idx_voice_realtime_errands_open
  on v_voice_realtime_errands (domain_uuid, next_at) where state in ('queued', 'running');
create index if not exists idx_voice_realtime_errands_dead
  on v_voice_realtime_errands (domain_uuid) where state = 'dead';

-- What is sent, and to whom. No default is set on a table in use, as in 024.
select voice_ai_column(of_table, name, type, null, false) from (values
  ('v_voice_realtime_settings', 'webhook_url', 'text'),
  ('v_voice_realtime_settings', 'webhook_secret', 'text'),
  ('v_voice_realtime_settings', 'webhook_events', 'jsonb'),
  ('v_voice_realtime_settings', 'email_to', 'jsonb'),
  ('v_voice_realtime_settings', 'summarise_calls', 'boolean'),
  ('v_voice_realtime_settings', 'summary_schema', 'jsonb'),
  ('v_voice_realtime_settings', 'summary_url', 'text'),
  ('v_voice_realtime_settings', 'summary_model', 'character varying(100)'),
  ('v_voice_realtime_settings', 'summary_key', 'text'),
  ('v_voice_realtime_settings', 'send_unstored', 'boolean'),
  ('v_voice_secretaries_realtime', 'email_to', 'jsonb'),
  ('v_voice_conversations_realtime', 'summary_fields', 'jsonb')
) as columns (of_table, name, type);

do $$
declare
  said record;
begin
  for said in
    select t.*, a.attrelid, a.attnum from (values
  ('v_voice_realtime_settings', 'webhook_url',
    'Address that is told what happens in calls, signed (docs/errands.md); empty: none.'),
  ('v_voice_realtime_settings', 'webhook_secret',
    'The key of those signatures, sealed; without one they are not sent.'),
  ('v_voice_realtime_settings', 'webhook_events',
    'Events that are told; empty: all.'),
  ('v_voice_realtime_settings', 'email_to',
    'Who gets calls and messages by e-mail; a secretary''s own wins; empty: nobody.'),
  ('v_voice_realtime_settings', 'summarise_calls',
    'Whether a model sums up each call when it is over.'),
  ('v_voice_realtime_settings', 'summary_schema',
    'JSON Schema of the fields it is to find besides; empty: none.'),
  ('v_voice_realtime_settings', 'summary_url',
    'OpenAI-compatible service for that, up to `/chat/completions`; empty: that of the domain''s own provider.'),
  ('v_voice_realtime_settings', 'summary_model',
    'Model to ask there; empty: the pipeline''s own.'),
  ('v_voice_realtime_settings', 'summary_key',
    'The key of `summary_url`, sealed.'),
  ('v_voice_realtime_settings', 'send_unstored',
    'Webhooks and e-mails carry what is not stored too: words where no transcript is kept, personal data where it is hidden. It is forgotten once sent.'),
  ('v_voice_secretaries_realtime', 'email_to',
    'Who gets this secretary''s calls and messages by e-mail; empty: the domain''s.')
    ) as t (of_table, column_name, meaning)
    join pg_attribute a on a.attrelid = to_regclass(t.of_table) and a.attname = t.column_name
  loop
    if coalesce(col_description(said.attrelid, said.attnum), '') <> said.meaning then
      execute format('comment on column %I.%I is %L', said.of_table, said.column_name, said.meaning);
    end if;
  end loop;
end $$;
