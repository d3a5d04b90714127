"""Whom the callers of a domain can be connected to: FusionPBX's own tables, read only.

A database without FusionPBX has none of them, older releases lack some. Flags are boolean, or text
before 5.5.
"""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.repository.statements import Row, execute, fetch_all, fetch_one

MAX_PLACES = 2000
"""Of one domain; further ones are not found by name."""
_LOCK_KEY = 0x76616C74  # 'valt': one transfer outside of a domain is counted at a time

_PLACES = {
    "v_extensions": """select 'extension' as kind, extension as number,
        array[effective_caller_id_name, description, number_alias,
          concat_ws(' ', nullif(directory_first_name, ''), nullif(directory_last_name, ''))]
          as names
      from v_extensions where domain_uuid = %s and cast(enabled as text) = 'true'""",
    "v_ring_groups": """select
        case when coalesce(to_jsonb(g) ->> 'ring_group_greeting', '') = '' then 'ring_group'
          else 'greeting_group' end,
        ring_group_extension, array[ring_group_name]
      from v_ring_groups g where domain_uuid = %s and cast(ring_group_enabled as text) = 'true'""",
    "v_call_center_queues": """select 'queue', queue_extension, array[queue_name]
      from v_call_center_queues where domain_uuid = %s""",
    "v_ivr_menus": """select 'ivr', ivr_menu_extension, array[ivr_menu_name]
      from v_ivr_menus where domain_uuid = %s and cast(ivr_menu_enabled as text) = 'true'""",
    "v_voicemails": """select 'voicemail', voicemail_id, array[voicemail_description]
      from v_voicemails where domain_uuid = %s and cast(voicemail_enabled as text) = 'true'""",
    "v_voice_secretaries_realtime": """select 'secretary', extension, array[secretary_name]
      from v_voice_secretaries_realtime where domain_uuid = %s and enabled and extension <> ''""",
    "v_dialplans": """select 'dialplan', dialplan_number,
        case when dialplan_number ~ '[*#]' then array[]::text[] else array[dialplan_name] end
      from v_dialplans where domain_uuid = %s and cast(dialplan_enabled as text) = 'true'
        and dialplan_number ~ '^[0-9*#]+$'""",
}
"""The parts of one statement, by the table each needs; the first gives the columns their names.
Of `v_dialplans` the numbers of time conditions, call flows and conferences are wanted. Feature
codes have no names here: nobody who calls asks for FusionPBX's DISA or recordings by name."""


def list_places(connection: Connection, domain_uuid: str) -> list[Row] | None:
    """Return `kind`, `number` and `names` (some empty) of all; None where FusionPBX is not."""
    there = _tables(connection)
    if "v_extensions" not in there:
        return None
    parts = [part for table, part in _PLACES.items() if table in there]
    sql = " union all ".join(parts) + f" limit {MAX_PLACES}"
    return fetch_all(connection, sql, [domain_uuid] * len(parts))


def find_availability(connection: Connection, domain_uuid: str, extension: str) -> Row | None:
    """Return what an extension's owner has set: `do_not_disturb`, and the numbers in `forward_all`
    and `forward_unregistered` (empty: not forwarded) and `follow_me` (a list). None when there is
    no such extension."""
    there = _tables(connection)
    if "v_extensions" not in there:
        return None
    sql = """select coalesce(cast(do_not_disturb as text), '') = 'true' as do_not_disturb,
               case when cast(forward_all_enabled as text) = 'true'
                 then coalesce(forward_all_destination, '') else '' end as forward_all,
               case when cast(forward_user_not_registered_enabled as text) = 'true'
                 then coalesce(forward_user_not_registered_destination, '') else '' end
                 as forward_unregistered,
               case when cast(follow_me_enabled as text) = 'true' then follow_me_uuid end
                 as follow_me
             from v_extensions where domain_uuid = %s and extension = %s limit 1"""
    row = fetch_one(connection, sql, (domain_uuid, extension))
    if row is None:
        return None
    followed = row["follow_me"] and "v_follow_me_destinations" in there
    numbers = _followed(connection, domain_uuid, row["follow_me"]) if followed else []
    return {**row, "follow_me": numbers}


def _followed(connection: Connection, domain_uuid: str, follow_me_uuid: str) -> list[str]:
    sql = """select follow_me_destination as number from v_follow_me_destinations
             where domain_uuid = %s and follow_me_uuid = %s
               and coalesce(follow_me_destination, '') <> ''
             order by follow_me_order limit 20"""
    return [row["number"] for row in fetch_all(connection, sql, (domain_uuid, follow_me_uuid))]


def count_outside(connection: Connection, domain_uuid: str, limit: int) -> bool:
    """Count one transfer to a number outside, in a transaction of the caller's; False, and not
    counted, when the domain has had `limit` in the last hour. Holds however many workers ask.

    A row counts what began in five minutes, `hour` the first of them, for an hour after the last.
    """
    execute(connection, "select pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK_KEY, domain_uuid))
    sql = """delete from v_voice_outside_transfers_realtime
             where domain_uuid = %s and hour <= now() - interval '65 minutes'"""
    execute(connection, sql, (domain_uuid,))
    sql = """insert into v_voice_outside_transfers_realtime as counted
               (domain_uuid, hour, transfers)
             select %s, to_timestamp(floor(extract(epoch from now()) / 300) * 300), 1
             where (select coalesce(sum(transfers), 0) from v_voice_outside_transfers_realtime
                    where domain_uuid = %s) < %s
             on conflict (domain_uuid, hour) do update set transfers = counted.transfers + 1
             returning transfers"""
    return fetch_one(connection, sql, (domain_uuid, domain_uuid, limit)) is not None


def _tables(connection: Connection) -> set[str]:
    """Which of FusionPBX's tables there are."""
    sql = "select name from unnest(%s::text[]) as name where to_regclass(name) is not null"
    return {
        row["name"] for row in fetch_all(connection, sql, ([*_PLACES, "v_follow_me_destinations"],))
    }
