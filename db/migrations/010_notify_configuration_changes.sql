-- Workers cache settings; a change is told to all of them at commit, with the domain it concerns
-- (PostgreSQL NOTIFY folds equal messages of one transaction into one).

create or replace function voice_ai_notify_configuration() returns trigger
language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    perform pg_notify('voice_ai_configuration', old.domain_uuid::text);
  end if;
  if tg_op <> 'DELETE' then
    perform pg_notify('voice_ai_configuration', new.domain_uuid::text);
  end if;
  return null;
end $$;

create or replace function voice_ai_touch() returns trigger language plpgsql as $$
begin
  new.updated_at := now();
  return new;
end $$;

drop trigger if exists voice_ai_configuration on v_voice_secretaries;
create trigger voice_ai_configuration after insert or update or delete on v_voice_secretaries
  for each row execute function voice_ai_notify_configuration();

drop trigger if exists voice_ai_configuration on v_voice_secretaries_realtime;
create trigger voice_ai_configuration
  after insert or update or delete on v_voice_secretaries_realtime
  for each row execute function voice_ai_notify_configuration();
drop trigger if exists voice_ai_touch on v_voice_secretaries_realtime;
create trigger voice_ai_touch before update on v_voice_secretaries_realtime
  for each row execute function voice_ai_touch();

drop trigger if exists voice_ai_configuration on v_voice_realtime_providers;
create trigger voice_ai_configuration
  after insert or update or delete on v_voice_realtime_providers
  for each row execute function voice_ai_notify_configuration();
drop trigger if exists voice_ai_touch on v_voice_realtime_providers;
create trigger voice_ai_touch before update on v_voice_realtime_providers
  for each row execute function voice_ai_touch();

drop trigger if exists voice_ai_configuration on v_voice_realtime_settings;
create trigger voice_ai_configuration
  after insert or update or delete on v_voice_realtime_settings
  for each row execute function voice_ai_notify_configuration();
drop trigger if exists voice_ai_touch on v_voice_realtime_settings;
create trigger voice_ai_touch before update on v_voice_realtime_settings
  for each row execute function voice_ai_touch();
