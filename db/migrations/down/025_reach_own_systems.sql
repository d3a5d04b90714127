alter table if exists v_voice_realtime_settings
  drop column if exists ticket_url, drop column if exists ticket_format,
  drop column if exists ticket_queue, drop column if exists ticket_company,
  drop column if exists ticket_key, drop column if exists crm_url, drop column if exists crm_key,
  drop column if exists agenda_kind, drop column if exists agenda_url,
  drop column if exists agenda_user, drop column if exists agenda_key,
  drop column if exists appointment_minutes;
