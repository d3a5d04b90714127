-- The older schema has no words for these; what it can say comes nearest.
update v_voice_function_calls_realtime set status = 'failed' where status = 'started';
update v_voice_transfers_realtime set status = case status
    when 'declined' then 'busy' when 'unreachable' then 'failed' else 'completed' end
  where status in ('passed_on', 'declined', 'unreachable', 'returned');
update v_voice_transfers_realtime set transfer_type = case transfer_type
    when 'takeover' then 'blind' when 'voicemail' then 'fallback' else 'attended' end
  where transfer_type in ('announced', 'three_way', 'voicemail', 'takeover');

select voice_ai_constraint('v_voice_function_calls_realtime',
  'chk_voice_function_calls_realtime_status',
  'check (status in (''completed'', ''failed'', ''timeout'', ''refused''))');
select voice_ai_constraint('v_voice_transfers_realtime', name, definition) from (values
  ('chk_voice_transfers_realtime_type',
    'check (transfer_type in (''blind'', ''attended'', ''fallback'', ''overflow''))'),
  ('chk_voice_transfers_realtime_status',
    'check (status in (''started'', ''completed'', ''no_answer'', ''busy'', ''failed'', '
    '''cancelled''))')
) as constraints (name, definition);

-- A refused call was no conversation.
delete from v_voice_conversations_realtime where outcome = 'refused';
alter table if exists v_voice_conversations_realtime drop column if exists reason;
comment on table v_voice_conversations_realtime is
  'Conversations with realtime secretaries: one row per answered call';
