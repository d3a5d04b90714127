drop table if exists v_voice_realtime_embeddings;
alter table v_voice_realtime_passages drop constraint if exists uq_voice_realtime_passages_domain;
alter table v_voice_realtime_documents
  drop column if exists embedded_as, drop column if exists embedded_at;
alter table v_voice_realtime_settings
  drop column if exists embedding_url, drop column if exists embedding_model,
  drop column if exists embedding_key;
