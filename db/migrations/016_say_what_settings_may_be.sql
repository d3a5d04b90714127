-- What a column may hold and what it means, said by the database itself. Limits are those of
-- esl_controller/tenants/columns and hold for what is written from now on (not valid): a row that
-- was stored before is used as far as it can be, and told by `config check`.

-- A domain without a zone of its own has FusionPBX's. The default, UTC, said only that nobody had
-- chosen one; who means it can write it again.
do $$
begin
  if exists (select 1 from pg_attribute where attrelid = 'v_voice_realtime_settings'::regclass
             and attname = 'time_zone' and (atthasdef or attnotnull)) then
    alter table v_voice_realtime_settings alter column time_zone drop not null,
      alter column time_zone drop default;
    update v_voice_realtime_settings set time_zone = null where time_zone = 'UTC';
  end if;
end $$;

select voice_ai_constraint(of_table, 'chk_' || substr(of_table, 3) || '_' || column_name,
  format('check (%I between %s and %s) not valid', column_name, least_value, most_value))
from (values
  ('v_voice_secretaries_realtime', 'vad_prefix_padding_ms', 0, 5000),
  ('v_voice_secretaries_realtime', 'silence_duration_ms', 20, 10000),
  ('v_voice_secretaries_realtime', 'vad_idle_timeout_ms', 5000, 30000),
  ('v_voice_secretaries_realtime', 'dtmf_pause_ms', 200, 30000),
  ('v_voice_secretaries_realtime', 'max_duration_seconds', 1, 86400),
  ('v_voice_secretaries_realtime', 'max_turns', 1, 10000),
  ('v_voice_secretaries_realtime', 'max_silence_seconds', 2, 600),
  ('v_voice_secretaries_realtime', 'max_concurrent_calls', 0, 100000),
  ('v_voice_realtime_providers', 'max_concurrent_calls', 0, 100000),
  ('v_voice_realtime_settings', 'max_concurrent_calls', 0, 100000),
  ('v_voice_realtime_settings', 'daily_budget_usd', 0, 9999999999),
  ('v_voice_realtime_settings', 'monthly_budget_usd', 0, 9999999999),
  ('v_voice_realtime_settings', 'budget_warning_percent', 1, 100),
  ('v_voice_realtime_settings', 'retention_days', 1, 36500)
) as limits (of_table, column_name, least_value, most_value);

do $$
declare
  said record;
begin
  for said in
    select t.*, a.attrelid, a.attnum from (values
  ('v_voice_secretaries_realtime', 'secretary_realtime_uuid', 'Key of the row.'),
  ('v_voice_secretaries_realtime', 'domain_uuid', 'The tenant.'),
  ('v_voice_secretaries_realtime', 'voice_secretary_uuid', 'Version 1''s secretary.'),
  ('v_voice_secretaries_realtime', 'secretary_name', 'Name in lists and checks.'),
  ('v_voice_secretaries_realtime', 'extension', 'The number it answers; empty: none.'),
  ('v_voice_secretaries_realtime', 'language',
    'Language of the caller and of our own phrases; empty: the model finds out.'),
  ('v_voice_secretaries_realtime', 'realtime_provider', 'Kind of provider, where no row is named.'),
  ('v_voice_secretaries_realtime', 'voice_realtime_provider_uuid',
    'The domain''s provider row to use; empty: the first of that kind by priority.'),
  ('v_voice_secretaries_realtime', 'provider_config',
    'Fields of the provider''s own session, over everything else here.'),
  ('v_voice_secretaries_realtime', 'model', 'Model to ask for; empty: the provider row''s.'),
  ('v_voice_secretaries_realtime', 'transcription_model',
    'Model that writes down what the caller says.'),
  ('v_voice_secretaries_realtime', 'voice_id', 'Voice; empty: the provider row''s.'),
  ('v_voice_secretaries_realtime', 'voice_settings', 'How fast it speaks.'),
  ('v_voice_secretaries_realtime', 'noise_reduction', 'What the provider does against noise.'),
  ('v_voice_secretaries_realtime', 'system_prompt', 'Who the AI is and what it does.'),
  ('v_voice_secretaries_realtime', 'first_message',
    'What it says first; empty: the caller begins.'),
  ('v_voice_secretaries_realtime', 'farewell_message',
    'Its good-bye; empty: ours, in its language.'),
  ('v_voice_secretaries_realtime', 'silence_prompt',
    'What a silent caller is asked, once; empty: ours.'),
  ('v_voice_secretaries_realtime', 'vad_mode', 'A turn ends by silence, or by sense.'),
  ('v_voice_secretaries_realtime', 'vad_threshold',
    'How loud speech is; higher where lines are noisy.'),
  ('v_voice_secretaries_realtime', 'vad_prefix_padding_ms', 'Sound kept from before speech began.'),
  ('v_voice_secretaries_realtime', 'silence_duration_ms',
    'Silence that ends a turn, with `server`.'),
  ('v_voice_secretaries_realtime', 'vad_eagerness', 'How soon it answers, with `semantic`.'),
  ('v_voice_secretaries_realtime', 'vad_idle_timeout_ms',
    'The model speaks up after such a silence; empty: it waits.'),
  ('v_voice_secretaries_realtime', 'barge_in', 'The caller may interrupt.'),
  ('v_voice_secretaries_realtime', 'dtmf_pause_ms',
    'Keys pressed are handed to the model after this pause, or at `#`.'),
  ('v_voice_secretaries_realtime', 'enable_rag', 'Kept for a knowledge base.'),
  ('v_voice_secretaries_realtime', 'rag_collection_id', 'Kept for a knowledge base.'),
  ('v_voice_secretaries_realtime', 'enable_functions',
    'Kept for functions of the tenant''s own. Hanging up needs no switch, nor does '
    'transferring where there are `transfer_rules`.'),
  ('v_voice_secretaries_realtime', 'functions_config', 'Kept for functions of the tenant''s own.'),
  ('v_voice_secretaries_realtime', 'transfer_rules',
    'Where the AI may transfer to; a wrong entry costs itself. Empty: it cannot transfer.'),
  ('v_voice_secretaries_realtime', 'max_duration_seconds', 'Longest call: a good-bye comes then.'),
  ('v_voice_secretaries_realtime', 'max_turns', 'Turns of the caller; a good-bye comes then.'),
  ('v_voice_secretaries_realtime', 'max_silence_seconds',
    'A silent caller is asked after this, and left some seconds later.'),
  ('v_voice_secretaries_realtime', 'max_concurrent_calls', 'Calls at once; empty: no limit.'),
  ('v_voice_secretaries_realtime', 'fallback_extension',
    'Who takes the call when the AI cannot; empty: the dialplan''s next action.'),
  ('v_voice_secretaries_realtime', 'overflow_extension',
    'Who takes it when there is no room; empty: as above.'),
  ('v_voice_secretaries_realtime', 'time_zone', 'Zone of its hours; empty: the domain''s.'),
  ('v_voice_secretaries_realtime', 'business_hours',
    'When it answers; empty: always. A span may go on past midnight (`["18:00", '
    '"02:00"]`): it belongs to the day it begins on, and a closed date closes what begins'
    ' on it. A date that cannot be read is left out; a day that cannot counts as open all'
    ' day.'),
  ('v_voice_secretaries_realtime', 'closed_extension',
    'Who takes the call outside these hours; empty: the dialplan''s next action.'),
  ('v_voice_secretaries_realtime', 'playback_mode',
    'How the voice reaches the caller; `auto`: as installed.'),
  ('v_voice_secretaries_realtime', 'media_mode',
    'How the caller''s voice comes: the audio module, or `unicast`.'),
  ('v_voice_secretaries_realtime', 'enabled', 'Whether it answers.'),
  ('v_voice_realtime_providers', 'voice_realtime_provider_uuid', 'Key of the row.'),
  ('v_voice_realtime_providers', 'domain_uuid', 'The tenant.'),
  ('v_voice_realtime_providers', 'realtime_provider', 'Kind of provider.'),
  ('v_voice_realtime_providers', 'provider_label', 'Name in logs and checks.'),
  ('v_voice_realtime_providers', 'base_url',
    'Address of a gateway or look-alike, on a host of VOICE_AI_PROVIDER_ALLOWED_HOSTS; '
    'empty: the provider''s own.'),
  ('v_voice_realtime_providers', 'credential',
    'The key: `sealed:…` (esl-controller keys seal), `env:NAME` or `file:/path`. It is '
    'sent over wss alone.'),
  ('v_voice_realtime_providers', 'headers', 'Further headers of the connection.'),
  ('v_voice_realtime_providers', 'model', 'Model to ask for; a secretary''s own wins.'),
  ('v_voice_realtime_providers', 'default_voice_id', 'Voice of secretaries that name none.'),
  ('v_voice_realtime_providers', 'provider_settings',
    'Settings of this kind of provider (docs/secretary.md). Never a key, a header or an '
    'address.'),
  ('v_voice_realtime_providers', 'priority',
    'Lowest first, when a call looks for its next provider.'),
  ('v_voice_realtime_providers', 'max_concurrent_calls', 'Calls at once; empty: no limit.'),
  ('v_voice_realtime_providers', 'enabled', 'Whether it is used.'),
  ('v_voice_realtime_settings', 'domain_uuid', 'The tenant.'),
  ('v_voice_realtime_settings', 'time_zone',
    'Zone of business hours, and of the day a budget is for; empty: FusionPBX''s own '
    'setting (domain, then default), else UTC.'),
  ('v_voice_realtime_settings', 'max_concurrent_calls',
    'Calls at once, over all workers and hosts; empty: no limit.'),
  ('v_voice_realtime_settings', 'daily_budget_usd', 'Budget of a day; empty: no limit.'),
  ('v_voice_realtime_settings', 'monthly_budget_usd', 'Budget of a month; empty: no limit.'),
  ('v_voice_realtime_settings', 'budget_warning_percent',
    'From there on a warning is logged, once a day or month.'),
  ('v_voice_realtime_settings', 'budget_action',
    'What happens to further calls once a budget is used up.'),
  ('v_voice_realtime_settings', 'human_extension', 'Who then takes the calls, with `human`.'),
  ('v_voice_realtime_settings', 'retention_days',
    'Conversations older than that are deleted; empty: kept for ever.'),
  ('v_voice_realtime_settings', 'store_transcripts', 'Whether what was said is stored.'),
  ('v_voice_realtime_settings', 'redact_personal_data',
    'Hide telephone numbers, addresses and documents in what is stored; card numbers '
    'always are.'),
  ('v_voice_realtime_settings', 'allowed_tool_hosts', 'Kept for functions of the tenant''s own.')
    ) as t (of_table, column_name, meaning)
    join pg_attribute a on a.attrelid = to_regclass(t.of_table) and a.attname = t.column_name
  loop
    if coalesce(col_description(said.attrelid, said.attnum), '') <> said.meaning then
      execute format('comment on column %I.%I is %L', said.of_table, said.column_name, said.meaning);
    end if;
  end loop;
end $$;
