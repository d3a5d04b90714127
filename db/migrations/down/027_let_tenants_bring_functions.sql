drop table if exists v_voice_realtime_functions;
