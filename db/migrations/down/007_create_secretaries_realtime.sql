drop table if exists v_voice_secretaries_realtime;

-- Of version 1's table only what we added goes. All of it goes where we made it, unless another
-- program has taken it up since: then its rows are not ours alone.
do $$
declare
  ours record;
begin
  if to_regclass('v_voice_secretaries') is null then
    return;
  end if;
  if not exists (select 1 from pg_attribute where attrelid = 'v_voice_secretaries'::regclass
                 and attnum > 0 and not attisdropped
                 and coalesce(col_description(attrelid, attnum), '')
                   <> 'made by voice-ai-switch 007')
    and not exists (select 1 from pg_constraint
                    where contype = 'f' and confrelid = 'v_voice_secretaries'::regclass)
  then
    drop table v_voice_secretaries;
    return;
  end if;
  alter table v_voice_secretaries
    drop constraint if exists chk_voice_secretaries_processing_mode;
  drop index if exists idx_voice_secretaries_domain_extension;
  for ours in
    select attname from pg_attribute where attrelid = 'v_voice_secretaries'::regclass
      and not attisdropped
      and col_description(attrelid, attnum) = 'added by voice-ai-switch 007'
  loop
    execute format('alter table v_voice_secretaries drop column %I', ours.attname);
  end loop;
end $$;

drop function if exists voice_ai_constraint(text, text, text);
drop function if exists voice_ai_column(text, text, text, text, boolean);
