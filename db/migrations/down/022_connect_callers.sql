update v_voice_transfers_realtime set status = 'no_answer'
  where status in ('no_verdict', 'human_left');
select voice_ai_constraint('v_voice_transfers_realtime', 'chk_voice_transfers_realtime_status',
  'check (status in (''started'', ''completed'', ''no_answer'', ''busy'', ''failed'', '
  '''cancelled'', ''passed_on'', ''declined'', ''unreachable'', ''returned''))');

alter table if exists v_voice_secretaries_realtime
  drop column if exists transfer_mode,
  drop column if exists transfer_ring_seconds,
  drop column if exists transfer_return,
  drop column if exists hold_music;
