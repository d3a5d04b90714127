drop table if exists v_voice_realtime_passages;
drop table if exists v_voice_realtime_documents;
