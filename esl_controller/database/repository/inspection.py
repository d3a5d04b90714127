"""What `doctor` asks of the database: who we are there, and who takes our numbers before us."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.repository.statements import Row, fetch_all, fetch_one

_ROLE = """select current_user as name, rolsuper as superuser,
    rolcreaterole or rolcreatedb as creates,
    pg_is_in_recovery() as replica,
    coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as tls,
    coalesce(host(inet_client_addr()), '') as client,
    array(select relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where relkind = 'r' and n.nspname = current_schema()
            and relname like 'v\\_voice\\_%%realtime%%'
            and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')
              and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))
          order by relname) as closed
  from pg_roles where rolname = current_user"""

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
    """The role of this connection: what it may, and which of our tables it may not write."""
    row = fetch_one(connection, _ROLE, ())
    assert row is not None
    return row


def earlier_dialplans(connection: Connection, app_uuid: str) -> list[Row]:
    """For each number that is answered here, FusionPBX's dialplans that come before ours.

    Of all domains: `doctor` is the operator's. Raises DatabaseError where there is no FusionPBX.
    """
    return fetch_all(connection, _EARLIER, (app_uuid,))
