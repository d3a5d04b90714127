drop table if exists v_voice_outbound_realtime;
drop table if exists v_voice_audits_realtime;
alter table if exists v_voice_secretaries_realtime
  drop column if exists record_calls, drop column if exists recording_consent,
  drop column if exists recording_notice, drop column if exists recording_pause_words,
  drop column if exists voicemail_message;
alter table if exists v_voice_realtime_settings
  drop column if exists outbound_max_concurrent, drop column if exists outbound_per_hour,
  drop column if exists outbound_per_day, drop column if exists outbound_caller_id;
alter table if exists v_voice_conversations_realtime
  drop column if exists direction, drop column if exists answered_by,
  drop column if exists recording_consent, drop column if exists recording_started_at,
  drop column if exists record_path, drop column if exists record_name;
