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
