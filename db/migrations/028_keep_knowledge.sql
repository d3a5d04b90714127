-- A tenant's documents, cut into passages that PostgreSQL's own text search finds. `terms` is a tsvector
-- kept as text, which FusionPBX's schema upgrade leaves alone; it holds each word as it is written and
-- without its accents, by the rules of the document's language.

create table if not exists v_voice_realtime_documents (document_uuid uuid primary key);

select voice_ai_column('v_voice_realtime_documents', name, type, preset, required) from (values
  ('document_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('title', 'character varying(255)', null, true),
  ('source_format', 'character varying(20)', null, true),
  ('language', 'character varying(16)', null, false),
  ('text_search', 'character varying(64)', '''simple''', true),
  ('size_bytes', 'integer', null, true),
  ('passages', 'integer', null, true),
  ('created_at', 'timestamptz', 'now()', true)
) as columns (name, type, preset, required);

create table if not exists v_voice_realtime_passages (passage_uuid uuid primary key);

select voice_ai_column('v_voice_realtime_passages', name, type, preset, required) from (values
  ('passage_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('document_uuid', 'uuid', null, true),
  ('passage_number', 'integer', null, true),
  ('content', 'text', null, true),
  ('terms', 'text', null, true)
) as columns (name, type, preset, required);

-- A passage's document is one of its own domain: both belong to the key.
select voice_ai_constraint(of_table, name, definition) from (values
  ('v_voice_realtime_documents', 'fk_voice_realtime_documents_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('v_voice_realtime_documents', 'uq_voice_realtime_documents_title',
    'unique (domain_uuid, title)'),
  ('v_voice_realtime_documents', 'uq_voice_realtime_documents_domain',
    'unique (domain_uuid, document_uuid)'),
  ('v_voice_realtime_passages', 'fk_voice_realtime_passages_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('v_voice_realtime_passages', 'fk_voice_realtime_passages_document',
    'foreign key (domain_uuid, document_uuid) references v_voice_realtime_documents '
    '(domain_uuid, document_uuid) on delete cascade')
) as constraints (of_table, name, definition);
create index if not exists idx_voice_realtime_passages_document
  on v_voice_realtime_passages (domain_uuid, document_uuid, passage_number);
create index if not exists idx_voice_realtime_passages_terms
  on v_voice_realtime_passages using gin ((terms::tsvector));

comment on column v_voice_secretaries_realtime.enable_rag is
  'It may look things up in the documents of the domain (`esl-controller knowledge`).';
