drop index if exists idx_voice_realtime_passages_terms;
alter table v_voice_realtime_passages drop column if exists lexemes;
create index if not exists idx_voice_realtime_passages_terms
  on v_voice_realtime_passages using gin ((terms::tsvector));
alter table v_voice_realtime_embeddings drop column if exists signs;
drop function if exists voice_ai_signs(real[]);
