drop table if exists v_voice_usage_realtime;
