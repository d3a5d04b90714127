-- One row per call in progress, on whatever worker or host. A worker renews its leases; those of a
-- dead one run out, so a caller's place comes back by itself.

create table if not exists v_voice_call_leases_realtime (lease_uuid uuid primary key);

select voice_ai_column('v_voice_call_leases_realtime', name, type, preset, required) from (values
  ('lease_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('secretary_realtime_uuid', 'uuid', null, false),
  ('voice_realtime_provider_uuid', 'uuid', null, false),
  ('call_uuid', 'character varying(255)', null, true),
  ('worker', 'character varying(255)', null, true),
  ('acquired_at', 'timestamptz', 'now()', true),
  ('expires_at', 'timestamptz', null, true)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_call_leases_realtime', name, definition) from (values
  ('fk_voice_call_leases_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('uq_voice_call_leases_realtime_call', 'unique (domain_uuid, call_uuid)')
) as constraints (name, definition);
create index if not exists idx_voice_call_leases_realtime_domain
  on v_voice_call_leases_realtime (domain_uuid, expires_at);
create index if not exists idx_voice_call_leases_realtime_expires
  on v_voice_call_leases_realtime (expires_at);
