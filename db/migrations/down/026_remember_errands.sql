drop table if exists v_voice_realtime_errands;
alter table if exists v_voice_realtime_settings
  drop column if exists webhook_url, drop column if exists webhook_secret,
  drop column if exists webhook_events, drop column if exists email_to,
  drop column if exists summarise_calls, drop column if exists summary_schema,
  drop column if exists summary_url, drop column if exists summary_model,
  drop column if exists summary_key, drop column if exists send_unstored;
alter table if exists v_voice_secretaries_realtime drop column if exists email_to;
alter table if exists v_voice_conversations_realtime drop column if exists summary_fields;
