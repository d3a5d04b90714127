drop table if exists v_voice_realtime_settings;
alter table if exists v_voice_secretaries_realtime
  drop column if exists voice_realtime_provider_uuid;
drop table if exists v_voice_realtime_providers;

-- Version 1's own checks come back; where rows no longer fit, they stay (not valid).
do $$
declare
  mark constant text := 'voice-ai-switch 009 for: ';
  old record;
begin
  if to_regclass('v_voice_ai_providers') is null then
    return;
  end if;
  for old in
    select conname, substr(obj_description(oid, 'pg_constraint'), length(mark) + 1) as definition
    from pg_constraint where conrelid = 'v_voice_ai_providers'::regclass
      and obj_description(oid, 'pg_constraint') like mark || '%'
  loop
    execute format('alter table v_voice_ai_providers drop constraint %I', old.conname);
    begin
      execute format('alter table v_voice_ai_providers add constraint %I %s',
        old.conname, old.definition);
    exception when check_violation then
      execute format('alter table v_voice_ai_providers add constraint %I %s not valid',
        old.conname, old.definition);
    end;
  end loop;
end $$;
