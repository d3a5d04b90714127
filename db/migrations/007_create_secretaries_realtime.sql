-- Realtime secretaries: who answers which extension of which domain, and how.
--
-- Every file here may be run any number of times, on a fresh FusionPBX database as well as on one
-- that holds version 1 (by SQL, by FusionPBX's schema upgrade, or both). FusionPBX may have created
-- a table from an app_config.php first: then it has its columns, but no default, NOT NULL, check or
-- foreign key (core/upgrade). So columns are defined one by one, by a function that adds what is
-- missing and touches nothing else. Types are spelled as FusionPBX's upgrade compares them
-- (information_schema.data_type), or it would alter them at each run.

do $$
begin
  if to_regclass('v_domains') is null then
    raise exception 'table v_domains is missing: this is not a FusionPBX database'
      using hint = 'Check the database name and the search_path of the connection.';
  end if;
end $$;

create or replace function voice_ai_column(
  of_table text, column_name text, column_type text, default_expression text, required boolean
) returns void language plpgsql as $$
declare
  found pg_attribute%rowtype;
begin
  select a.* into found from pg_attribute a
    where a.attrelid = to_regclass(of_table) and a.attname = column_name and not a.attisdropped;
  if found.attname is null then
    execute format('alter table %I add column %I %s', of_table, column_name, column_type);
  end if;
  if default_expression is not null and not coalesce(found.atthasdef, false) then
    execute format('alter table %I alter column %I set default %s',
      of_table, column_name, default_expression);
    execute format('update %I set %I = default where %I is null', of_table, column_name, column_name);
  end if;
  if required and not coalesce(found.attnotnull, false) then
    execute format('alter table %I alter column %I set not null', of_table, column_name);
  end if;
end $$;

-- A constraint's comment keeps the text it was made from: only a changed one is made again.
create or replace function voice_ai_constraint(
  of_table text, constraint_name text, definition text
) returns void language plpgsql as $$
declare
  present text;
begin
  select coalesce(obj_description(c.oid, 'pg_constraint'), '') into present from pg_constraint c
    where c.conrelid = to_regclass(of_table) and c.conname = constraint_name;
  if present = definition then
    return;
  end if;
  if present is not null then
    execute format('alter table %I drop constraint %I', of_table, constraint_name);
  end if;
  execute format('alter table %I add constraint %I %s', of_table, constraint_name, definition);
  execute format('comment on constraint %I on %I is %L', constraint_name, of_table, definition);
end $$;

-- Version 1's table. Where version 1 is not installed it is made here, so that the way a number is
-- answered (processing_mode) is found in one place. What we make or add is marked, so that the way
-- back takes away only that, and nothing once version 1 has been installed upon it.
do $$
declare
  made record;
begin
  if to_regclass('v_voice_secretaries') is null then
    create table v_voice_secretaries (voice_secretary_uuid uuid primary key);
    perform voice_ai_column('v_voice_secretaries', name, type, preset, false) from (values
      ('domain_uuid', 'uuid', null),
      ('secretary_name', 'text', null),
      ('company_name', 'text', null),
      ('personality_prompt', 'text', null),
      ('greeting_message', 'text', null),
      ('farewell_message', 'text', null),
      ('transfer_extension', 'text', null),
      ('extension', 'character varying(20)', null),
      ('processing_mode', 'character varying(20)', '''turn_based'''),
      ('max_turns', 'integer', '20'),
      ('enabled', 'boolean', 'true'),
      ('insert_date', 'timestamptz', 'now()'),
      ('insert_user', 'uuid', null),
      ('update_date', 'timestamptz', null),
      ('update_user', 'uuid', null)
    ) as columns (name, type, preset);
    perform voice_ai_constraint('v_voice_secretaries', 'fk_voice_secretaries_domain',
      'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade');
    for made in select attname from pg_attribute
      where attrelid = 'v_voice_secretaries'::regclass and attnum > 0
    loop
      execute format('comment on column v_voice_secretaries.%I is %L',
        made.attname, 'made by voice-ai-switch 007');
    end loop;
  end if;
end $$;

do $$
declare
  wanted record;
begin
  for wanted in select * from (values
    ('extension', 'character varying(20)', null),
    ('processing_mode', 'character varying(20)', '''turn_based''')
  ) as columns (name, type, preset) loop
    if not exists (select 1 from pg_attribute where attname = wanted.name and not attisdropped
                   and attrelid = 'v_voice_secretaries'::regclass) then
      perform voice_ai_column('v_voice_secretaries', wanted.name, wanted.type, wanted.preset, false);
      execute format('comment on column v_voice_secretaries.%I is %L',
        wanted.name, 'added by voice-ai-switch 007');
    end if;
  end loop;
end $$;

update v_voice_secretaries set processing_mode = 'turn_based'
  where processing_mode is null or processing_mode not in ('turn_based', 'realtime', 'auto');
select voice_ai_constraint('v_voice_secretaries', 'chk_voice_secretaries_processing_mode',
  'check (processing_mode in (''turn_based'', ''realtime'', ''auto''))');
create index if not exists idx_voice_secretaries_domain_extension
  on v_voice_secretaries (domain_uuid, extension);

create table if not exists v_voice_secretaries_realtime (secretary_realtime_uuid uuid primary key);

select voice_ai_column('v_voice_secretaries_realtime', name, type, preset, required) from (values
  ('secretary_realtime_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('voice_secretary_uuid', 'uuid', null, false),
  ('secretary_name', 'character varying(255)', null, true),
  ('extension', 'character varying(15)', null, false),
  ('language', 'character varying(16)', null, false),
  -- who speaks
  ('realtime_provider', 'character varying(50)', '''openai''', true),
  ('provider_config', 'jsonb', '''{}''', true),
  ('model', 'character varying(100)', null, false),
  ('transcription_model', 'character varying(100)', null, false),
  ('voice_id', 'character varying(100)', null, false),
  ('voice_settings', 'jsonb', '''{}''', true),
  ('noise_reduction', 'character varying(20)', '''none''', true),
  -- what it says
  ('system_prompt', 'text', null, false),
  ('first_message', 'text', null, false),
  ('farewell_message', 'text', null, false),
  ('silence_prompt', 'text', null, false),
  -- who speaks when
  ('vad_mode', 'character varying(20)', '''server''', true),
  ('vad_threshold', 'numeric(3,2)', '0.5', true),
  ('vad_prefix_padding_ms', 'integer', '300', true),
  ('silence_duration_ms', 'integer', '500', true),
  ('vad_eagerness', 'character varying(10)', '''auto''', true),
  ('vad_idle_timeout_ms', 'integer', null, false),
  ('barge_in', 'boolean', 'true', true),
  ('dtmf_pause_ms', 'integer', '2000', true),
  -- what it may do
  ('enable_rag', 'boolean', 'false', true),
  ('rag_collection_id', 'uuid', null, false),
  ('enable_functions', 'boolean', 'false', true),
  ('functions_config', 'jsonb', '''[]''', true),
  ('transfer_rules', 'jsonb', '''[]''', true),
  -- how long, how many, where else
  ('max_duration_seconds', 'integer', '300', true),
  ('max_turns', 'integer', '50', true),
  ('max_silence_seconds', 'integer', '20', true),
  ('max_concurrent_calls', 'integer', null, false),
  ('fallback_extension', 'character varying(64)', null, false),
  ('overflow_extension', 'character varying(64)', null, false),
  ('time_zone', 'character varying(64)', null, false),
  ('business_hours', 'jsonb', null, false),
  ('closed_extension', 'character varying(64)', null, false),
  -- how the sound travels
  ('playback_mode', 'character varying(20)', '''auto''', true),
  ('media_mode', 'character varying(20)', '''stream''', true),
  ('enabled', 'boolean', 'true', true),
  ('created_at', 'timestamptz', 'now()', true),
  ('updated_at', 'timestamptz', 'now()', true)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_secretaries_realtime', name, definition) from (values
  ('fk_voice_secretaries_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('chk_voice_secretaries_realtime_provider',
    'check (realtime_provider in (''openai'', ''elevenlabs'', ''gemini'', ''custom''))'),
  ('chk_voice_secretaries_realtime_noise_reduction',
    'check (noise_reduction in (''none'', ''near_field'', ''far_field''))'),
  ('chk_voice_secretaries_realtime_vad_mode', 'check (vad_mode in (''server'', ''semantic''))'),
  ('chk_voice_secretaries_realtime_vad_eagerness',
    'check (vad_eagerness in (''low'', ''medium'', ''high'', ''auto''))'),
  ('chk_voice_secretaries_realtime_vad_threshold', 'check (vad_threshold between 0 and 1)'),
  ('chk_voice_secretaries_realtime_playback_mode',
    'check (playback_mode in (''auto'', ''unicast'', ''binary'', ''json'', ''file''))'),
  ('chk_voice_secretaries_realtime_media_mode', 'check (media_mode in (''stream'', ''unicast''))')
) as constraints (name, definition);

create index if not exists idx_voice_secretaries_realtime_domain
  on v_voice_secretaries_realtime (domain_uuid);
create index if not exists idx_voice_secretaries_realtime_domain_extension
  on v_voice_secretaries_realtime (domain_uuid, extension);
-- Two enabled secretaries on one number would make the answer a matter of luck.
create unique index if not exists uq_voice_secretaries_realtime_extension
  on v_voice_secretaries_realtime (domain_uuid, extension) where enabled;
comment on table v_voice_secretaries_realtime is
  'Realtime secretaries: one row answers one extension of one domain';
