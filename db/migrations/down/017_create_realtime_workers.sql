drop table if exists v_voice_workers_realtime;
