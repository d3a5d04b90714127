-- Not all that is paid for is a conversation: what a voice preview or a call's summary cost is to be
-- told apart.

select voice_ai_column('v_voice_usage_realtime', name, type, preset, required) from (values
  ('purpose', 'text', '''conversation''', true)
) as columns (name, type, preset, required);
