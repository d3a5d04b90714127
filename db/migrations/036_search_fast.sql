-- What a search compares is kept ready: a passage's words as PostgreSQL compares them, which parsed them
-- anew from `terms` for each passage it ranked; and which numbers of a vector are positive, whose 20,000
-- are compared in the time the vectors themselves take to be fetched for 500. Neither column is declared
-- to FusionPBX, whose upgrade knows few types. Both are made from what is stored by whoever stores it, this
-- version or the one before.

alter table v_voice_realtime_passages
  add column if not exists lexemes tsvector generated always as (terms::tsvector) stored;

create or replace function voice_ai_signs(numbers real[]) returns bit varying
language sql immutable strict parallel safe as $$
  select string_agg(case when number > 0 then '1' else '0' end, '' order by place)::bit varying
  from unnest(numbers) with ordinality as listed (number, place)
$$;

alter table v_voice_realtime_embeddings
  add column if not exists signs bit varying generated always as (voice_ai_signs(embedding)) stored;

-- Under the name it had, or migration 028, run again, would make the other anew.
do $$
begin
  if not exists (select 1 from pg_index i
                 join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
                 where i.indexrelid = to_regclass('idx_voice_realtime_passages_terms')
                 and a.attname = 'lexemes') then
    drop index if exists idx_voice_realtime_passages_terms;
    create index idx_voice_realtime_passages_terms
      on v_voice_realtime_passages using gin (lexemes);
  end if;
end $$;
