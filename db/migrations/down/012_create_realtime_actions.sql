drop table if exists v_voice_transfers_realtime;
drop table if exists v_voice_function_calls_realtime;
