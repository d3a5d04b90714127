-- Announced transfers: what a secretary wants of them, and what became of each attempt.

-- Null takes the program's default: to fill old rows in would check them against limits that came
-- after them ("not valid", 016).
select voice_ai_column('v_voice_secretaries_realtime', name, type, null, false) from (values
  ('transfer_mode', 'character varying(20)'),
  ('transfer_ring_seconds', 'integer'),
  ('transfer_return', 'boolean'),
  ('hold_music', 'boolean')
) as columns (name, type);

select voice_ai_constraint('v_voice_secretaries_realtime', name, definition) from (values
  ('chk_voice_secretaries_realtime_transfer_mode',
    'check (transfer_mode in (''blind'', ''announced'', ''attended''))'),
  ('chk_voice_secretaries_realtime_transfer_ring_seconds',
    'check (transfer_ring_seconds between 5 and 120) not valid')
) as constraints (name, definition);

comment on column v_voice_secretaries_realtime.transfer_mode is
  'How callers are connected where a rule says nothing else: handed over at once, or `announced`: the human hears who calls and why, and accepts first; `attended`: the AI then introduces both.';
comment on column v_voice_secretaries_realtime.transfer_ring_seconds is
  'Longest ringing of an announced transfer.';
comment on column v_voice_secretaries_realtime.transfer_return is
  'After an announced transfer the caller is with the AI again when the human hangs up.';
comment on column v_voice_secretaries_realtime.hold_music is
  'Music for a caller who waits for a human; else silence.';

-- no_verdict: answered, and never said yes or no. human_left: hung up before saying either.
select voice_ai_constraint('v_voice_transfers_realtime', 'chk_voice_transfers_realtime_status',
  'check (status in (''started'', ''completed'', ''no_answer'', ''busy'', ''failed'', '
  '''cancelled'', ''passed_on'', ''declined'', ''unreachable'', ''no_verdict'', '
  '''human_left'', ''returned''))');
