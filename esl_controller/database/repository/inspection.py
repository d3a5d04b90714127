"""What `doctor` asks of the database: who we are there, and who takes our numbers before us."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.repository.statements import Row, fetch_all, fetch_one
from esl_controller.database.role import OURS, THEIRS

_ROLE = """select current_user as name, rolsuper as superuser,
    rolcreaterole or rolcreatedb as creates,
    has_schema_privilege(current_schema(), 'create') as makes_tables,
    pg_is_in_recovery() as replica,
    coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as tls,
    coalesce(host(inet_client_addr()), '') as client
  from pg_roles where rolname = current_user"""

_MISSING = """select distinct name from unnest(%s::text[], %s::text[], %s::text[])
    as wanted(name, verb, col)
  where to_regclass(name) is not null and case when col = ''
    then not has_table_privilege(to_regclass(name), verb)
    else exists (select from pg_attribute where attrelid = to_regclass(name) and attname = col
      and not has_column_privilege(attrelid, attnum, verb)) end order by name"""

_SURPLUS = """select relname::text as name from pg_class c
  where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
    and relname <> all(%s::text[])
    and has_table_privilege(c.oid, 'insert, update, truncate') order by relname"""

_EARLIER = """select d.domain_uuid, d.domain_name, s.extension, p.dialplan_name, p.dialplan_order,
    p.dialplan_xml, ours.dialplan_order as our_order, ours.dialplan_enabled::text as our_enabled
  from v_domains d
  join v_voice_secretaries_realtime s on s.domain_uuid = d.domain_uuid
  join v_dialplans ours on ours.app_uuid = %s
    and (ours.domain_uuid = d.domain_uuid or ours.domain_uuid is null)
  left join v_dialplans p on p.dialplan_enabled::text = 'true'
    and (p.domain_uuid = d.domain_uuid or p.domain_uuid is null)
    and p.dialplan_order < ours.dialplan_order
    and p.dialplan_context in (d.domain_name, '${domain_name}')
    and p.dialplan_continue::text <> 'true'
  where s.enabled limit 20000"""


def role(connection: Connection) -> Row:
    """The role of this connection and its way here, with `missing`: tables on which it lacks a
    right the program needs; and `surplus`: tables that are not ours and that it may change."""
    row = fetch_one(connection, _ROLE, ())
    assert row is not None
    wanted = [
        (grant.table, verb, column)
        for grant in (*OURS, *THEIRS)
        for verb in grant.verbs
        for column in (grant.columns if verb == "select" and grant.columns else ("",))
    ]
    missing = fetch_all(connection, _MISSING, [list(part) for part in zip(*wanted, strict=True)])
    surplus = fetch_all(connection, _SURPLUS, ([grant.table for grant in OURS],))
    return {
        **row,
        "missing": [one["name"] for one in missing],
        "surplus": [one["name"] for one in surplus],
    }


def earlier_dialplans(connection: Connection, app_uuid: str) -> list[Row]:
    """For each number that is answered here, FusionPBX's dialplans that come before ours.

    Of all domains: `doctor` is the operator's. Raises DatabaseError where there is no FusionPBX.
    """
    return fetch_all(connection, _EARLIER, (app_uuid,))
