-- Functions of a tenant's own: an HTTP request, or the tools of an MCP server. The key is sealed; what
-- an MCP server said of its tools is kept, so that it cannot change what a model is told unseen.

create table if not exists v_voice_realtime_functions (
  voice_realtime_function_uuid uuid primary key);

select voice_ai_column('v_voice_realtime_functions', name, type, preset, required) from (values
  ('voice_realtime_function_uuid', 'uuid', 'gen_random_uuid()', true),
  ('domain_uuid', 'uuid', null, true),
  ('function_name', 'character varying(64)', null, true),
  ('function_kind', 'character varying(20)', '''http''', true),
  ('description', 'text', null, false),
  ('url', 'text', null, true),
  ('http_method', 'character varying(10)', '''GET''', true),
  ('parameters', 'jsonb', '''{}''', true),
  ('argument_places', 'jsonb', '''{}''', true),
  ('result_fields', 'jsonb', '''{}''', true),
  ('max_result_bytes', 'integer', '4096', true),
  ('timeout_seconds', 'integer', '8', true),
  ('headers', 'jsonb', '''{}''', true),
  ('credential', 'text', null, false),
  ('mcp_tools', 'jsonb', '''[]''', true),
  ('mcp_catalogue', 'jsonb', '''[]''', true),
  ('extensions', 'jsonb', '''[]''', true),
  ('enabled', 'boolean', 'true', true),
  ('created_at', 'timestamptz', 'now()', true),
  ('updated_at', 'timestamptz', 'now()', true)
) as columns (name, type, preset, required);

select voice_ai_constraint('v_voice_realtime_functions', name, definition) from (values
  ('fk_voice_realtime_functions_domain',
    'foreign key (domain_uuid) references v_domains (domain_uuid) on delete cascade'),
  ('uq_voice_realtime_functions_name', 'unique (domain_uuid, function_name)'),
  ('chk_voice_realtime_functions_kind', 'check (function_kind in (''http'', ''mcp''))'),
  ('chk_voice_realtime_functions_max_result_bytes',
    'check (max_result_bytes between 100 and 32768) not valid'),
  ('chk_voice_realtime_functions_timeout_seconds',
    'check (timeout_seconds between 1 and 60) not valid')
) as constraints (name, definition);

drop trigger if exists voice_ai_configuration on v_voice_realtime_functions;
create trigger voice_ai_configuration
  after insert or update or delete on v_voice_realtime_functions
  for each row execute function voice_ai_notify_configuration();
drop trigger if exists voice_ai_touch on v_voice_realtime_functions;
create trigger voice_ai_touch before update on v_voice_realtime_functions
  for each row execute function voice_ai_touch();

do $$
declare
  said record;
begin
  for said in
    select t.*, a.attrelid, a.attnum from (values
  ('v_voice_realtime_settings', 'allowed_tool_hosts',
    'Hosts of the tenant''s own systems, which its functions and webhooks may reach, within VOICE_AI_SERVICES_ALLOWED_HOSTS: `crm.example`, `*.example.com`, an address or a network, with `:port` where only one is meant.'),
  ('v_voice_realtime_functions', 'voice_realtime_function_uuid',
    'Key of the row.'),
  ('v_voice_realtime_functions', 'domain_uuid',
    'The tenant.'),
  ('v_voice_realtime_functions', 'function_name',
    'As the model calls it; of an MCP server, what stands before its tools'' names.'),
  ('v_voice_realtime_functions', 'function_kind',
    'One HTTP request, or an MCP server.'),
  ('v_voice_realtime_functions', 'description',
    'What it does, and when the model shall call it.'),
  ('v_voice_realtime_functions', 'url',
    'Where it is, on a host of `allowed_tool_hosts`; `{argument}` in its path.'),
  ('v_voice_realtime_functions', 'http_method',
    'Of the request.'),
  ('v_voice_realtime_functions', 'parameters',
    'Its arguments.'),
  ('v_voice_realtime_functions', 'argument_places',
    'Where an argument goes: `path`, `query`, `query:name`, `body`, `body:/pointer`; also `$caller_number` and `$conversation_uuid`. Empty: into the address where it stands there, else the query of GET and DELETE, else the body.'),
  ('v_voice_realtime_functions', 'result_fields',
    'What of the answer the model is told, as JSON Pointers; empty: all of it.'),
  ('v_voice_realtime_functions', 'max_result_bytes',
    'Most the model is told: more is cut off.'),
  ('v_voice_realtime_functions', 'timeout_seconds',
    'Longest wait for the answer.'),
  ('v_voice_realtime_functions', 'headers',
    'Headers of the request; `{key}` stands for the key.'),
  ('v_voice_realtime_functions', 'credential',
    'The key, sealed.'),
  ('v_voice_realtime_functions', 'mcp_tools',
    'Tools of the MCP server that may be called.'),
  ('v_voice_realtime_functions', 'mcp_catalogue',
    'What the MCP server said of them (`function refresh`).'),
  ('v_voice_realtime_functions', 'extensions',
    'Numbers of the secretaries it is for; empty: all.'),
  ('v_voice_realtime_functions', 'enabled',
    'Whether it is used.')
    ) as t (of_table, column_name, meaning)
    join pg_attribute a on a.attrelid = to_regclass(t.of_table) and a.attname = t.column_name
  loop
    if coalesce(col_description(said.attrelid, said.attnum), '') <> said.meaning then
      execute format('comment on column %I.%I is %L', said.of_table, said.column_name, said.meaning);
    end if;
  end loop;
end $$;
