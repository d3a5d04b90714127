drop table if exists v_voice_outside_transfers_realtime;

alter table if exists v_voice_secretaries_realtime
  drop column if exists transfer_directory;
