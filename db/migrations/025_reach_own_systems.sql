-- The domain's own systems: tickets, customers, agenda. No default is set on a table in use, as in 024.

select voice_ai_column(of_table, name, type, null, false) from (values
  ('v_voice_realtime_settings', 'ticket_url', 'text'),
  ('v_voice_realtime_settings', 'ticket_format', 'character varying(20)'),
  ('v_voice_realtime_settings', 'ticket_queue', 'character varying(100)'),
  ('v_voice_realtime_settings', 'ticket_company', 'character varying(100)'),
  ('v_voice_realtime_settings', 'ticket_key', 'text'),
  ('v_voice_realtime_settings', 'crm_url', 'text'),
  ('v_voice_realtime_settings', 'crm_key', 'text'),
  ('v_voice_realtime_settings', 'agenda_kind', 'character varying(20)'),
  ('v_voice_realtime_settings', 'agenda_url', 'text'),
  ('v_voice_realtime_settings', 'agenda_user', 'character varying(255)'),
  ('v_voice_realtime_settings', 'agenda_key', 'text'),
  ('v_voice_realtime_settings', 'appointment_minutes', 'integer')
) as columns (of_table, name, type);

select voice_ai_constraint(of_table, name, definition) from (values
  ('v_voice_realtime_settings', 'chk_voice_realtime_settings_ticket_format',
    'check (ticket_format in (''contact'', ''plain'', ''event'', ''handoff'')) not valid'),
  ('v_voice_realtime_settings', 'chk_voice_realtime_settings_agenda_kind',
    'check (agenda_kind in (''http'', ''caldav'')) not valid'),
  ('v_voice_realtime_settings', 'chk_voice_realtime_settings_appointment_minutes',
    'check (appointment_minutes between 5 and 480) not valid')
) as constraints (of_table, name, definition);

do $$
declare
  said record;
begin
  for said in
    select t.*, a.attrelid, a.attnum from (values
  ('v_voice_secretaries_realtime', 'enable_functions',
    'Whether it offers functions that reach the domain''s own systems, and messages; those of the call itself need no switch.'),
  ('v_voice_secretaries_realtime', 'functions_config',
    'Names of those it offers; empty: all that are set up, `send_dtmf` excepted.'),
  ('v_voice_realtime_settings', 'ticket_url',
    'Where tickets are opened (OmniPlay and its like); empty: nowhere.'),
  ('v_voice_realtime_settings', 'ticket_format',
    'Generation of the request: `contact` (`/api/v1/tickets`), `plain`, `event` (webhook), `handoff` (`/api/tickets/realtime-handoff`).'),
  ('v_voice_realtime_settings', 'ticket_queue',
    'Queue of new tickets there.'),
  ('v_voice_realtime_settings', 'ticket_company',
    'Company there, with `handoff`.'),
  ('v_voice_realtime_settings', 'ticket_key',
    'Its token, sealed.'),
  ('v_voice_realtime_settings', 'crm_url',
    'Where customers are looked up, also while the telephone rings; empty: nowhere.'),
  ('v_voice_realtime_settings', 'crm_key',
    'Its token, sealed.'),
  ('v_voice_realtime_settings', 'agenda_kind',
    'Our HTTP contract, or a CalDAV calendar.'),
  ('v_voice_realtime_settings', 'agenda_url',
    'Of the agenda; with CalDAV, of the one calendar; empty: none.'),
  ('v_voice_realtime_settings', 'agenda_user',
    'User name there; empty: a token.'),
  ('v_voice_realtime_settings', 'agenda_key',
    'Its password or token, sealed.'),
  ('v_voice_realtime_settings', 'appointment_minutes',
    'Length of an appointment.')
    ) as t (of_table, column_name, meaning)
    join pg_attribute a on a.attrelid = to_regclass(t.of_table) and a.attname = t.column_name
  loop
    if coalesce(col_description(said.attrelid, said.attnum), '') <> said.meaning then
      execute format('comment on column %I.%I is %L', said.of_table, said.column_name, said.meaning);
    end if;
  end loop;
end $$;
