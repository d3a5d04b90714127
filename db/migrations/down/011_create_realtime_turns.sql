drop table if exists v_voice_turns_realtime;
