-- The trigger goes with its function.
drop function if exists voice_ai_add_spending() cascade;
drop table if exists v_voice_spending_realtime;
drop function if exists voice_ai_quarter(timestamptz);
