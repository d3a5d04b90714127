-- One row per answered call. Written behind the call by the journal, so every key is given by the
-- writer and a row may arrive twice: first when the call starts, then when it ends.

create table if not exists v_voice_conversations_realtime (conversation_uuid uuid primary key);

select voice_ai_column('v_voice_conversations_realtime', name, type, preset, required) from (values
  ('conversation_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('secretary_realtime_uuid', 'uuid', null, false),
  ('call_uuid', 'character varying(255)', null, true),
  ('caller_id', 'character varying(100)', null, false),
  ('caller_name', 'character varying(255)', null, false),
  ('destination', 'character varying(100)', null, false),
  ('started_at', 'timestamptz', 'now()', true),
  ('answered_at', 'timestamptz', null, false),
  ('ended_at', 'timestamptz', null, false),
  ('duration_seconds', 'integer', null, false),
  ('total_turns', 'integer', '0', true),
  ('interruptions', 'integer', '0', true),
  ('avg_latency_ms', 'integer', null, false),
  ('max_latency_ms', 'integer', null, false),
  ('transcript', 'jsonb', '''[]''', true),
  ('summary', 'text', null, false),
  ('language', 'character varying(16)', null, false),
  ('outcome', 'character varying(50)', null, false),
  ('end_cause', 'character varying(100)', null, false),
  ('error_code', 'character varying(20)', null, false),
  ('transfer_destination', 'character varying(100)', null, false),
  ('provider', 'character varying(50)', null, false),
  ('model', 'character varying(100)', null, false),
  ('worker', 'character varying(255)', null, false),
  ('input_tokens', 'integer', null, false),
  ('output_tokens', 'integer', null, false),
  ('audio_seconds', 'numeric(10,2)', null, false),
  ('estimated_cost', 'numeric(10,4)', null, false),
  ('created_at', 'timestamptz', 'now()', true)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_conversations_realtime', name, definition) from (values
  ('fk_voice_conversations_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('fk_voice_conversations_realtime_secretary',
    'foreign key (secretary_realtime_uuid) references v_voice_secretaries_realtime '
    '(secretary_realtime_uuid) on delete set null')
) as constraints (name, definition);

create index if not exists idx_voice_conversations_realtime_domain
  on v_voice_conversations_realtime (domain_uuid);
create index if not exists idx_voice_conversations_realtime_domain_started
  on v_voice_conversations_realtime (domain_uuid, started_at);
create index if not exists idx_voice_conversations_realtime_call
  on v_voice_conversations_realtime (domain_uuid, call_uuid);
create index if not exists idx_voice_conversations_realtime_caller
  on v_voice_conversations_realtime (domain_uuid, caller_id);
create index if not exists idx_voice_conversations_realtime_secretary
  on v_voice_conversations_realtime (secretary_realtime_uuid);
-- Calls now in progress: what a restarted worker closes.
create index if not exists idx_voice_conversations_realtime_open
  on v_voice_conversations_realtime (domain_uuid, worker) where ended_at is null;
comment on table v_voice_conversations_realtime is
  'Conversations with realtime secretaries: one row per answered call';
