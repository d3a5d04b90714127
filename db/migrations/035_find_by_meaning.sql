-- Passages as vectors of a model, for what is asked in other words than the documents use. Kept as plain
-- numbers, so that the table is there with and without pgvector, whose operators compare them where the
-- extension is installed. `space` says which model of which service made them: only vectors of one space
-- can be compared.

select voice_ai_constraint('v_voice_realtime_passages', 'uq_voice_realtime_passages_domain',
  'unique (domain_uuid, passage_uuid)');

create table if not exists v_voice_realtime_embeddings (passage_uuid uuid primary key);

select voice_ai_column(of_table, name, type, preset, required) from (values
  ('v_voice_realtime_embeddings', 'passage_uuid', 'uuid', null, true),
  ('v_voice_realtime_embeddings', 'domain_uuid', 'uuid', null, true),
  ('v_voice_realtime_embeddings', 'document_uuid', 'uuid', null, true),
  ('v_voice_realtime_embeddings', 'space', 'character varying(64)', null, true),
  ('v_voice_realtime_embeddings', 'embedding', 'real[]', null, true),
  ('v_voice_realtime_documents', 'embedded_as', 'character varying(64)', null, false),
  ('v_voice_realtime_documents', 'embedded_at', 'timestamptz', null, false),
  ('v_voice_realtime_settings', 'embedding_url', 'text', null, false),
  ('v_voice_realtime_settings', 'embedding_model', 'character varying(100)', null, false),
  ('v_voice_realtime_settings', 'embedding_key', 'text', null, false)
) as columns (of_table, name, type, preset, required);

-- Numbers of a model do not compress.
alter table v_voice_realtime_embeddings alter column embedding set storage external;

-- An embedding's passage is one of its own domain: both belong to the key.
select voice_ai_constraint('v_voice_realtime_embeddings', name, definition) from (values
  ('fk_voice_realtime_embeddings_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('fk_voice_realtime_embeddings_passage',
    'foreign key (domain_uuid, passage_uuid) references v_voice_realtime_passages '
    '(domain_uuid, passage_uuid) on delete cascade')
) as constraints (name, definition);
create index if not exists idx_voice_realtime_embeddings_document
  on v_voice_realtime_embeddings (domain_uuid, document_uuid);
create index if not exists idx_voice_realtime_embeddings_passage
  on v_voice_realtime_embeddings (domain_uuid, passage_uuid);

do $$
declare
  said record;
begin
  for said in
    select t.*, a.attrelid, a.attnum from (values
  ('v_voice_realtime_settings', 'embedding_url',
    'OpenAI-compatible service that finds documents by meaning, up to `/embeddings`; empty: the installation''s, where it has one.'),
  ('v_voice_realtime_settings', 'embedding_model',
    'Model to ask there.'),
  ('v_voice_realtime_settings', 'embedding_key',
    'The key of `embedding_url`, sealed.')
    ) as t (of_table, column_name, meaning)
    join pg_attribute a on a.attrelid = to_regclass(t.of_table) and a.attname = t.column_name
  loop
    if coalesce(col_description(said.attrelid, said.attnum), '') <> said.meaning then
      execute format('comment on column %I.%I is %L', said.of_table, said.column_name, said.meaning);
    end if;
  end loop;
end $$;
