-- FusionPBX's table of domains, where there is no FusionPBX: run by deploy/database --create, and by the database of
-- compose.yaml the first time.
create table v_domains (domain_uuid uuid primary key, domain_parent_uuid uuid, domain_name text,
  domain_enabled boolean, domain_description text, insert_date timestamptz, insert_user uuid,
  update_date timestamptz, update_user uuid);
