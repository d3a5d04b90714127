drop table if exists v_voice_call_leases_realtime;
