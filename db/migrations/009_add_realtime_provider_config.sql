-- Who a domain's secretaries speak through, and what the domain may spend and keep.

-- Version 1 allows only its own provider types and names; realtime ones must fit beside them. The
-- old definition is kept in the comment for the way back.
do $$
declare
  old record;
  new_definition text;
begin
  if to_regclass('v_voice_ai_providers') is null then
    return;
  end if;
  for old in
    select conname, pg_get_constraintdef(oid) as definition from pg_constraint
    where conrelid = 'v_voice_ai_providers'::regclass
      and conname in ('chk_provider_type', 'chk_provider_name')
      and coalesce(obj_description(oid, 'pg_constraint'), '') not like 'voice-ai-switch 009 for: %'
  loop
    new_definition := case old.conname
      when 'chk_provider_type'
        then 'check (provider_type in (''stt'', ''tts'', ''llm'', ''embeddings'', ''realtime''))'
      else 'check (provider_name ~ ''^[a-z0-9_]{1,50}$'')' end;
    execute format('alter table v_voice_ai_providers drop constraint %I', old.conname);
    execute format('alter table v_voice_ai_providers add constraint %I %s',
      old.conname, new_definition);
    execute format('comment on constraint %I on v_voice_ai_providers is %L',
      old.conname, 'voice-ai-switch 009 for: ' || old.definition);
  end loop;
end $$;

create table if not exists v_voice_realtime_providers (voice_realtime_provider_uuid uuid primary key);

-- credential: 'sealed:…' (libsodium sealed box, only the controller can open it), 'env:NAME' or
-- 'file:/path' (the operator's own, on the controller's host). Never the key itself.
select voice_ai_column('v_voice_realtime_providers', name, type, preset, required) from (values
  ('voice_realtime_provider_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('realtime_provider', 'character varying(50)', null, true),
  ('provider_label', 'character varying(100)', null, true),
  ('base_url', 'text', null, false),
  ('credential', 'text', null, false),
  ('headers', 'jsonb', '''{}''', true),
  ('model', 'character varying(100)', null, false),
  ('default_voice_id', 'character varying(100)', null, false),
  ('provider_settings', 'jsonb', '''{}''', true),
  ('priority', 'integer', '100', true),
  ('max_concurrent_calls', 'integer', null, false),
  ('enabled', 'boolean', 'true', true),
  ('created_at', 'timestamptz', 'now()', true),
  ('updated_at', 'timestamptz', 'now()', true)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_realtime_providers', name, definition) from (values
  ('fk_voice_realtime_providers_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('chk_voice_realtime_providers_provider',
    'check (realtime_provider in (''openai'', ''elevenlabs'', ''gemini'', ''custom''))'),
  ('chk_voice_realtime_providers_credential',
    'check (credential ~ ''^(sealed|env|file):'')')
) as constraints (name, definition);
create index if not exists idx_voice_realtime_providers_domain
  on v_voice_realtime_providers (domain_uuid, priority);

select voice_ai_column('v_voice_secretaries_realtime', 'voice_realtime_provider_uuid', 'uuid',
  null, false);
select voice_ai_constraint('v_voice_secretaries_realtime', 'fk_voice_secretaries_realtime_provider',
  'foreign key (voice_realtime_provider_uuid) references v_voice_realtime_providers '
  '(voice_realtime_provider_uuid) on delete set null');
create index if not exists idx_voice_secretaries_realtime_provider
  on v_voice_secretaries_realtime (voice_realtime_provider_uuid);

create table if not exists v_voice_realtime_settings (domain_uuid uuid primary key);

-- One row per domain; a domain without a row has the defaults.
select voice_ai_column('v_voice_realtime_settings', name, type, preset, required) from (values
  ('domain_uuid', 'uuid', null, true),
  ('time_zone', 'character varying(64)', null, false),
  ('max_concurrent_calls', 'integer', null, false),
  ('daily_budget_usd', 'numeric(12,2)', null, false),
  ('monthly_budget_usd', 'numeric(12,2)', null, false),
  ('budget_warning_percent', 'integer', '80', true),
  ('budget_action', 'character varying(20)', '''turn_based''', true),
  ('human_extension', 'character varying(64)', null, false),
  ('retention_days', 'integer', null, false),
  ('store_transcripts', 'boolean', 'true', true),
  ('redact_personal_data', 'boolean', 'false', true),
  ('allowed_tool_hosts', 'jsonb', '''[]''', true),
  ('created_at', 'timestamptz', 'now()', true),
  ('updated_at', 'timestamptz', 'now()', true)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_realtime_settings', name, definition) from (values
  ('fk_voice_realtime_settings_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('chk_voice_realtime_settings_budget_action',
    'check (budget_action in (''low_cost'', ''turn_based'', ''human''))'),
  ('chk_voice_realtime_settings_retention', 'check (retention_days > 0)')
) as constraints (name, definition);
