-- Tickets of browsers that talk, spent once over all workers and hosts. What has expired is removed
-- by whoever spends the next.

create table if not exists v_voice_spent_tickets_realtime (ticket_uuid uuid primary key);

select voice_ai_column('v_voice_spent_tickets_realtime', name, type, preset, required)
from (values
  ('ticket_uuid', 'uuid', null, true),
  ('domain_uuid', 'uuid', null, true),
  ('expires_at', 'timestamptz', null, true)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_spent_tickets_realtime', name, definition) from (values
  ('fk_voice_spent_tickets_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade')
) as constraints (name, definition);

create index if not exists idx_voice_spent_tickets_realtime_expires
  on v_voice_spent_tickets_realtime (expires_at);
create index if not exists idx_voice_spent_tickets_realtime_domain
  on v_voice_spent_tickets_realtime (domain_uuid);
