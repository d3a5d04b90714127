alter table if exists v_voice_usage_realtime drop column if exists voice_realtime_provider_uuid;
