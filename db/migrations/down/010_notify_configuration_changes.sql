-- The triggers go with their functions.
drop function if exists voice_ai_notify_configuration() cascade;
drop function if exists voice_ai_touch() cascade;
