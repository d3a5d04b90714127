-- What the AI did: every function it called and every call it handed on. Rows are kept for audit.
--
-- The checks know the words of 015 too: where files are run again over a database in use, this one
-- comes before 015 and must not refuse the rows that it allowed.

create table if not exists v_voice_function_calls_realtime (function_call_uuid uuid primary key);

select voice_ai_column('v_voice_function_calls_realtime', name, type, preset, required) from (values
  ('function_call_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('conversation_uuid', 'uuid', null, true),
  ('provider_call_id', 'character varying(255)', null, false),
  ('function_name', 'character varying(100)', null, true),
  ('arguments', 'jsonb', '''{}''', true),
  ('result', 'jsonb', null, false),
  ('status', 'character varying(20)', null, true),
  ('error', 'text', null, false),
  ('started_at', 'timestamptz', null, true),
  ('duration_ms', 'integer', null, false)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_function_calls_realtime', name, definition) from (values
  ('fk_voice_function_calls_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('fk_voice_function_calls_realtime_conversation',
    'foreign key (conversation_uuid) references v_voice_conversations_realtime '
    '(conversation_uuid) on delete cascade'),
  ('chk_voice_function_calls_realtime_status',
    'check (status in (''started'', ''completed'', ''failed'', ''timeout'', ''refused''))')
) as constraints (name, definition);
create index if not exists idx_voice_function_calls_realtime_conversation
  on v_voice_function_calls_realtime (conversation_uuid);
create index if not exists idx_voice_function_calls_realtime_domain
  on v_voice_function_calls_realtime (domain_uuid, started_at);

create table if not exists v_voice_transfers_realtime (transfer_uuid uuid primary key);

select voice_ai_column('v_voice_transfers_realtime', name, type, preset, required) from (values
  ('transfer_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('conversation_uuid', 'uuid', null, true),
  ('transfer_type', 'character varying(20)', null, true),
  ('destination', 'character varying(255)', null, true),
  ('reason', 'text', null, false),
  ('status', 'character varying(20)', null, true),
  ('hangup_cause', 'character varying(64)', null, false),
  ('started_at', 'timestamptz', null, true),
  ('ended_at', 'timestamptz', null, false)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_transfers_realtime', name, definition) from (values
  ('fk_voice_transfers_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('fk_voice_transfers_realtime_conversation',
    'foreign key (conversation_uuid) references v_voice_conversations_realtime '
    '(conversation_uuid) on delete cascade'),
  ('chk_voice_transfers_realtime_type',
    'check (transfer_type in (''blind'', ''attended'', ''fallback'', ''overflow'', ''announced'', '
    '''three_way'', ''voicemail'', ''takeover''))'),
  ('chk_voice_transfers_realtime_status',
    'check (status in (''started'', ''completed'', ''no_answer'', ''busy'', ''failed'', '
    '''cancelled'', ''passed_on'', ''declined'', ''unreachable'', ''no_verdict'', '
    '''human_left'', ''returned''))')
) as constraints (name, definition);
create index if not exists idx_voice_transfers_realtime_conversation
  on v_voice_transfers_realtime (conversation_uuid);
create index if not exists idx_voice_transfers_realtime_domain
  on v_voice_transfers_realtime (domain_uuid, started_at);
