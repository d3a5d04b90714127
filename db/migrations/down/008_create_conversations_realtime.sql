drop table if exists v_voice_conversations_realtime;
