-- Through which provider row of its domain something was used: of two accounts with one vendor each is
-- shown what it cost itself. Rows from before say nothing, and stay so: nobody knows which it was.
--
-- No foreign key: what a provider that was removed has cost stays its own, and is taken for no other's.

select voice_ai_column('v_voice_usage_realtime', name, type, preset, required) from (values
  ('voice_realtime_provider_uuid', 'uuid', null, false)
) as columns (name, type, preset, required);
