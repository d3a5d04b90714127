-- One row per running worker of the installation: where it can be asked, how full it is, when it was
-- last seen. It belongs to no domain: a worker serves all of them, and nothing of a tenant stands here.

create table if not exists v_voice_workers_realtime (worker character varying(255) primary key);

select voice_ai_column('v_voice_workers_realtime', name, type, preset, required) from (values
  ('worker', 'character varying(255)', null, true),
  ('host', 'character varying(255)', '''''', true),
  ('http_url', 'character varying(255)', '''''', true),
  ('esl_address', 'character varying(255)', '''''', true),
  ('started_at', 'timestamptz', 'now()', true),
  ('seen_at', 'timestamptz', 'now()', true),
  ('version', 'character varying(50)', '''''', true),
  ('capacity', 'integer', '0', true),
  ('calls', 'integer', '0', true),
  ('draining', 'boolean', 'false', true),
  ('listening', 'boolean', 'true', true)
) as columns (name, type, preset, required);
