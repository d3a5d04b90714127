-- What each domain spent, added up by quarter of an hour: budgets are read from here, so that a check
-- costs the same however many calls a month has had. Every time zone of today is a whole number of
-- quarters away from UTC, so a day or a month of any domain is a whole number of these rows.
--
-- Every change of v_voice_usage_realtime adds a row here with the difference, whoever makes the change:
-- workers of an older version, a repeated insert (a difference of nothing), a correction by hand.
-- Nobody waits for a lock that way; workers fold the rows of a quarter into one once an hour.

create table if not exists v_voice_spending_realtime (spending_uuid uuid primary key);

select voice_ai_column('v_voice_spending_realtime', name, type, preset, required) from (values
  ('spending_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('began_at', 'timestamptz', null, true),
  ('cost_usd', 'numeric(18,6)', '0', true)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_spending_realtime', name, definition) from (values
  ('fk_voice_spending_realtime_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade')
) as constraints (name, definition);
create index if not exists idx_voice_spending_realtime_domain
  on v_voice_spending_realtime (domain_uuid, began_at) include (cost_usd);

create or replace function voice_ai_quarter(moment timestamptz) returns timestamptz
language sql immutable as $$
  select to_timestamp(floor(extract(epoch from moment) / 900) * 900)
$$;

create or replace function voice_ai_add_spending() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and (old.domain_uuid, old.occurred_at, old.cost_usd)
      is not distinct from (new.domain_uuid, new.occurred_at, new.cost_usd) then
    return null;
  end if;
  -- A domain that is being deleted takes its spending along.
  if tg_op <> 'INSERT' and coalesce(old.cost_usd, 0) <> 0 then
    insert into v_voice_spending_realtime (domain_uuid, began_at, cost_usd)
      select old.domain_uuid, voice_ai_quarter(old.occurred_at), -old.cost_usd
      where exists (select 1 from v_domains where domain_uuid = old.domain_uuid);
  end if;
  if tg_op <> 'DELETE' and coalesce(new.cost_usd, 0) <> 0 then
    insert into v_voice_spending_realtime (domain_uuid, began_at, cost_usd)
      values (new.domain_uuid, voice_ai_quarter(new.occurred_at), new.cost_usd);
  end if;
  return null;
end $$;

-- Run again, this changes nothing: what was spent before is added up once, while nobody can add more.
do $$
begin
  if exists (select 1 from pg_trigger where tgname = 'voice_ai_spending' and not tgisinternal
      and tgrelid = to_regclass('v_voice_usage_realtime')) then
    return;
  end if;
  lock table v_voice_usage_realtime in share row exclusive mode;
  delete from v_voice_spending_realtime;
  insert into v_voice_spending_realtime (domain_uuid, began_at, cost_usd)
    select domain_uuid, voice_ai_quarter(occurred_at), sum(cost_usd) from v_voice_usage_realtime
    where occurred_at > now() - interval '62 days' and cost_usd is not null
    group by 1, 2;
  create trigger voice_ai_spending after insert or update or delete on v_voice_usage_realtime
    for each row execute function voice_ai_add_spending();
end $$;
