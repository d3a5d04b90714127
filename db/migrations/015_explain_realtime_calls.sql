-- Every call has a row, also one that was not taken, and the row says why. Functions are stored when
-- they begin, transfers with what is known of them.

select voice_ai_column('v_voice_conversations_realtime', 'reason', 'text', null, false);
comment on column v_voice_conversations_realtime.reason is
  'In words, why the call was refused, handed back or failed; a provider''s own words included';
comment on table v_voice_conversations_realtime is
  'Calls to realtime secretaries: one row per conversation, and one per call that was refused';

select voice_ai_constraint('v_voice_function_calls_realtime',
  'chk_voice_function_calls_realtime_status',
  'check (status in (''started'', ''completed'', ''failed'', ''timeout'', ''refused''))');

-- passed_on: FreeSWITCH has taken the caller there; what became of it is not known.
select voice_ai_constraint('v_voice_transfers_realtime', name, definition) from (values
  ('chk_voice_transfers_realtime_type',
    'check (transfer_type in (''blind'', ''attended'', ''fallback'', ''overflow'', ''announced'', '
    '''three_way'', ''voicemail'', ''takeover''))'),
  ('chk_voice_transfers_realtime_status',
    'check (status in (''started'', ''completed'', ''no_answer'', ''busy'', ''failed'', '
    '''cancelled'', ''passed_on'', ''declined'', ''unreachable'', ''no_verdict'', '
    '''human_left'', ''returned''))')
) as constraints (name, definition);
