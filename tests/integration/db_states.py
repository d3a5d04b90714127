"""The states a database can be in before our migrations: what was installed before, and how.

FusionPBX's schema upgrade makes tables with their columns and a primary key only: no defaults, no
NOT NULL, no foreign keys (core/upgrade of FusionPBX). Version 1 came as SQL files, as an
app_config.php for that upgrade, or as both in either order.
"""

FUSIONPBX = """
create table v_domains (
  domain_uuid uuid primary key, domain_parent_uuid uuid, domain_name text, domain_enabled boolean,
  domain_description text, insert_date timestamptz, insert_user uuid, update_date timestamptz,
  update_user uuid);
"""

V1_SQL = """
create table if not exists v_voice_ai_providers (
  voice_ai_provider_uuid uuid primary key default gen_random_uuid(),
  domain_uuid uuid not null references v_domains (domain_uuid) on delete cascade,
  provider_type varchar(20) not null, provider_name varchar(50) not null,
  config jsonb not null default '{}', is_default boolean default false,
  is_enabled boolean default true, priority integer default 0, rate_limit_rpm integer,
  cost_per_unit decimal(10,6), cost_unit varchar(20), insert_date timestamptz default now(),
  update_date timestamptz default now(), unique (domain_uuid, provider_type, provider_name));
do $$ begin
  if not exists (select 1 from pg_constraint where conname = 'chk_provider_type') then
    alter table v_voice_ai_providers add constraint chk_provider_type
      check (provider_type in ('stt', 'tts', 'llm', 'embeddings'));
    alter table v_voice_ai_providers add constraint chk_provider_name
      check (provider_name in ('whisper_local', 'piper_local', 'openai', 'groq', 'voyage'));
  end if;
end $$;
create table if not exists v_voice_secretaries (
  voice_secretary_uuid uuid primary key default gen_random_uuid(),
  domain_uuid uuid not null references v_domains (domain_uuid) on delete cascade,
  secretary_name varchar(100) not null, company_name varchar(200),
  personality_prompt text not null, greeting_message text, farewell_message text,
  fallback_message text default 'Pode repetir?', transfer_message text default 'Vou transferir.',
  stt_provider_uuid uuid references v_voice_ai_providers (voice_ai_provider_uuid),
  tts_provider_uuid uuid references v_voice_ai_providers (voice_ai_provider_uuid),
  llm_provider_uuid uuid references v_voice_ai_providers (voice_ai_provider_uuid),
  tts_voice_id varchar(100), tts_speed decimal(3,2) default 1.0,
  llm_temperature decimal(3,2) default 0.7, max_turns integer default 20,
  silence_timeout_ms integer default 3000, transfer_extension varchar(20),
  transfer_on_failure boolean default true, omniplay_webhook_url varchar(500),
  enabled boolean default true, insert_date timestamptz default now(),
  update_date timestamptz default now());
create index if not exists idx_voice_secretaries_domain on v_voice_secretaries (domain_uuid);
create table if not exists v_voice_conversations (
  voice_conversation_uuid uuid primary key default gen_random_uuid(),
  domain_uuid uuid not null references v_domains (domain_uuid) on delete cascade,
  voice_secretary_uuid uuid not null
    references v_voice_secretaries (voice_secretary_uuid) on delete cascade,
  call_uuid uuid, caller_id_number varchar(50), start_time timestamptz not null,
  end_time timestamptz, total_turns integer default 0, final_action varchar(50),
  insert_date timestamptz default now());
create table if not exists v_voice_messages (
  voice_message_uuid uuid primary key default gen_random_uuid(),
  voice_conversation_uuid uuid not null
    references v_voice_conversations (voice_conversation_uuid) on delete cascade,
  turn_number integer not null, role varchar(20) not null, content text not null,
  rag_sources text[], insert_date timestamptz default now());
create table if not exists v_voice_transfer_rules (
  transfer_rule_uuid uuid primary key default gen_random_uuid(),
  voice_secretary_uuid uuid not null
    references v_voice_secretaries (voice_secretary_uuid) on delete cascade,
  intent_keywords text[], department_name varchar(100) not null,
  transfer_extension varchar(20) not null, priority integer default 0,
  enabled boolean default true);
"""

V1_BY_UPGRADE = """
create table if not exists v_voice_ai_providers (
  voice_ai_provider_uuid uuid primary key, domain_uuid uuid, provider_type text,
  provider_name text, config jsonb, is_default boolean, is_enabled boolean, priority numeric,
  insert_date timestamptz, update_date timestamptz);
create table if not exists v_voice_secretaries (
  voice_secretary_uuid uuid primary key, domain_uuid uuid, secretary_name text,
  company_name text, personality_prompt text, greeting_message text, farewell_message text,
  stt_provider_uuid uuid, tts_provider_uuid uuid, llm_provider_uuid uuid, max_turns numeric,
  transfer_extension text, enabled boolean, insert_date timestamptz);
create table if not exists v_voice_documents (
  voice_document_uuid uuid primary key, domain_uuid uuid, voice_secretary_uuid uuid,
  document_name text, content text, chunk_count numeric, enabled boolean);
create table if not exists v_voice_conversations (
  voice_conversation_uuid uuid primary key, domain_uuid uuid, voice_secretary_uuid uuid,
  call_uuid uuid, caller_id_number text, start_time timestamptz, end_time timestamptz,
  total_turns numeric, final_action text);
"""

UPGRADE_AFTER_SQL = """
alter table v_voice_secretaries alter column secretary_name type text;
alter table v_voice_secretaries alter column transfer_extension type text;
alter table v_voice_ai_providers alter column provider_type type text;
alter table v_voice_ai_providers alter column provider_name type text;
"""

PREDECESSOR = """
alter table v_voice_secretaries rename column enabled to is_enabled;
alter table v_voice_secretaries add column extension varchar(20),
  add column language varchar(10) default 'pt-BR',
  add column processing_mode varchar(20) default 'turn_based',
  add column realtime_provider_uuid uuid, add column vad_threshold decimal(3,2) default 0.5,
  add column handoff_enabled boolean default true,
  add column business_info jsonb default '{}'::jsonb;
create index idx_voice_secretaries_extension on v_voice_secretaries (domain_uuid, extension);
alter table v_voice_ai_providers add column display_name varchar(100);
alter table v_voice_ai_providers drop constraint chk_provider_type;
alter table v_voice_ai_providers add constraint chk_provider_type
  check (provider_type in ('stt', 'tts', 'llm', 'embeddings', 'realtime'));
alter table v_voice_ai_providers drop constraint chk_provider_name;
create table v_voice_transfer_destinations (
  transfer_destination_uuid uuid primary key, domain_uuid uuid, name text);
"""

# The same on a table that our migration made before: only missing columns are added.
V1_BY_UPGRADE_ON_OURS = (
    V1_BY_UPGRADE
    + """
alter table v_voice_secretaries add stt_provider_uuid uuid;
alter table v_voice_secretaries add tts_provider_uuid uuid;
alter table v_voice_secretaries add llm_provider_uuid uuid;
"""
)

PREDECESSOR_BY_UPGRADE = """
alter table v_voice_secretaries add extension text;
alter table v_voice_secretaries add processing_mode text;
alter table v_voice_secretaries add language text;
alter table v_voice_secretaries add max_duration_seconds numeric;
alter table v_voice_secretaries add realtime_provider_uuid uuid;
create index v_voice_secretaries_domain_uuid_fkey on v_voice_secretaries (domain_uuid);
"""

STATES = {
    "fresh": FUSIONPBX,
    "v1_by_sql": FUSIONPBX + V1_SQL,
    "v1_by_upgrade": FUSIONPBX + V1_BY_UPGRADE,
    "v1_by_upgrade_then_sql": FUSIONPBX + V1_BY_UPGRADE + V1_SQL,
    "v1_by_sql_then_upgrade": FUSIONPBX + V1_SQL + UPGRADE_AFTER_SQL,
    "predecessor": FUSIONPBX + V1_SQL + PREDECESSOR,
    "predecessor_by_upgrade": FUSIONPBX + V1_BY_UPGRADE + PREDECESSOR_BY_UPGRADE,
}

COLUMNS = """
select table_name, column_name, data_type, character_maximum_length, numeric_precision,
  numeric_scale, column_default, is_nullable
from information_schema.columns where table_schema = 'public' order by 1, 2"""
CONSTRAINTS = """
select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
where connamespace = 'public'::regnamespace and contype <> 'n' order by 1, 2"""
INDEXES = (
    "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 2"
)
TRIGGERS = """
select tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) from pg_trigger
where not tgisinternal order by 1, 2"""
