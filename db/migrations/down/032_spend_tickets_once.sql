drop table if exists v_voice_spent_tickets_realtime;
