-- Which kinds of provider there are is known to the program, and refused by its rules; the database
-- sees to it that it is a word. A further kind then needs no migration.
select voice_ai_constraint(of_table, constraint_name,
  'check (realtime_provider ~ ''^[a-z][a-z0-9_]{0,31}$'')')
from (values
  ('v_voice_realtime_providers', 'chk_voice_realtime_providers_provider'),
  ('v_voice_secretaries_realtime', 'chk_voice_secretaries_realtime_provider')
) as constraints (of_table, constraint_name);
