-- Whom callers can be connected to: a secretary's wish, and how often a domain has been connected
-- to numbers outside in an hour. Counted here, so that the cap holds over all workers and hosts.

-- With its default in one step: rows from before the limits of 016 are not written anew.
alter table v_voice_secretaries_realtime
  add column if not exists transfer_directory boolean not null default false;
select voice_ai_column('v_voice_secretaries_realtime', name, type, preset, required) from (values
  ('transfer_directory', 'boolean', 'false', true)
) as columns (name, type, preset, required);

comment on column v_voice_secretaries_realtime.transfer_directory is
  'Callers are also connected to any extension, ring group, queue or IVR of the domain they name, not only to those in transfer_rules.';

create table if not exists v_voice_outside_transfers_realtime (
  domain_uuid uuid, hour timestamptz, primary key (domain_uuid, hour));

select voice_ai_column('v_voice_outside_transfers_realtime', name, type, preset, required)
from (values
  ('domain_uuid', 'uuid', null, true),
  ('hour', 'timestamptz', null, true),
  ('transfers', 'integer', '0', true)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_outside_transfers_realtime', name, definition) from (values
  ('fk_voice_outside_transfers_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade')
) as constraints (name, definition);
