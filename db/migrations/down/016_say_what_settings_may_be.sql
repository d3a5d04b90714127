-- Only what 016 made: its limits are those with its mark, "not valid", in their comment.
do $$
declare
  ours record;
begin
  for ours in
    select conrelid::regclass as of_table, conname from pg_constraint
    where conrelid in (to_regclass('v_voice_secretaries_realtime'),
                       to_regclass('v_voice_realtime_providers'),
                       to_regclass('v_voice_realtime_settings'))
      and contype = 'c' and obj_description(oid, 'pg_constraint') like '%) not valid'
  loop
    execute format('alter table %s drop constraint %I', ours.of_table, ours.conname);
  end loop;
  for ours in
    select a.attrelid::regclass as of_table, a.attname from pg_attribute a
    where a.attrelid in (to_regclass('v_voice_secretaries_realtime'),
                         to_regclass('v_voice_realtime_providers'),
                         to_regclass('v_voice_realtime_settings'))
      and a.attnum > 0 and not a.attisdropped and col_description(a.attrelid, a.attnum) is not null
  loop
    execute format('comment on column %s.%I is null', ours.of_table, ours.attname);
  end loop;
  if to_regclass('v_voice_realtime_settings') is not null then
    update v_voice_realtime_settings set time_zone = 'UTC' where time_zone is null;
    alter table v_voice_realtime_settings alter column time_zone set default 'UTC',
      alter column time_zone set not null;
  end if;
end $$;
