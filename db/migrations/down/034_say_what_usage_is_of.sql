alter table if exists v_voice_usage_realtime drop column if exists purpose;
