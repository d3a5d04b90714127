-- What a conversation consumed, as the provider counted it, and what that cost by the price list of
-- the day. Budgets are sums over this table, so its index carries the cost, and a row outlives its
-- conversation: what is erased for a caller or by age must not make a budget larger.

create table if not exists v_voice_usage_realtime (usage_uuid uuid primary key);

select voice_ai_column('v_voice_usage_realtime', name, type, preset, required) from (values
  ('usage_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('conversation_uuid', 'uuid', null, false),
  ('provider', 'character varying(50)', null, true),
  ('model', 'character varying(100)', '''''', true),
  ('occurred_at', 'timestamptz', null, true),
  ('input_text_tokens', 'integer', '0', true),
  ('input_audio_tokens', 'integer', '0', true),
  ('input_image_tokens', 'integer', '0', true),
  ('cached_text_tokens', 'integer', '0', true),
  ('cached_audio_tokens', 'integer', '0', true),
  ('output_text_tokens', 'integer', '0', true),
  ('output_audio_tokens', 'integer', '0', true),
  ('transcription_seconds', 'numeric(12,3)', '0', true),
  ('transcription_tokens', 'integer', '0', true),
  ('audio_seconds', 'numeric(12,3)', '0', true),
  ('characters', 'integer', '0', true),
  ('cost_usd', 'numeric(14,6)', null, false),
  ('price_date', 'date', null, false)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_usage_realtime', name, definition) from (values
  ('fk_voice_usage_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('fk_voice_usage_realtime_conversation',
    'foreign key (conversation_uuid) references v_voice_conversations_realtime '
    '(conversation_uuid) on delete set null')
) as constraints (name, definition);
create index if not exists idx_voice_usage_realtime_conversation
  on v_voice_usage_realtime (conversation_uuid);
create index if not exists idx_voice_usage_realtime_domain
  on v_voice_usage_realtime (domain_uuid, occurred_at) include (cost_usd);
