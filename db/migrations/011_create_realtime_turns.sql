-- What was said, and where the time of each answer went.

create table if not exists v_voice_turns_realtime (turn_uuid uuid primary key);

select voice_ai_column('v_voice_turns_realtime', name, type, preset, required) from (values
  ('turn_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('conversation_uuid', 'uuid', null, true),
  ('turn_number', 'integer', null, true),
  ('role', 'character varying(20)', null, true),
  ('content', 'text', '''''', true),
  ('started_at', 'timestamptz', null, true),
  ('ended_at', 'timestamptz', null, false),
  ('heard_ms', 'integer', null, false),
  ('interrupted', 'boolean', 'false', true),
  ('total_ms', 'integer', null, false),
  ('network_ms', 'integer', null, false),
  ('model_ms', 'integer', null, false),
  ('buffer_ms', 'integer', null, false),
  ('playout_ms', 'integer', null, false)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_turns_realtime', name, definition) from (values
  ('fk_voice_turns_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('fk_voice_turns_realtime_conversation',
    'foreign key (conversation_uuid) references v_voice_conversations_realtime '
    '(conversation_uuid) on delete cascade'),
  ('chk_voice_turns_realtime_role',
    'check (role in (''user'', ''assistant'', ''system'', ''dtmf''))')
) as constraints (name, definition);
create index if not exists idx_voice_turns_realtime_conversation
  on v_voice_turns_realtime (conversation_uuid, turn_number);
create index if not exists idx_voice_turns_realtime_domain
  on v_voice_turns_realtime (domain_uuid, started_at);
