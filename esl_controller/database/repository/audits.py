"""What people did to calls."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.acts import AuditRecord
from esl_controller.database.repository.statements import columns, fetch_all

MAX_SHOWN = 500


def list_of_call(connection: Connection, domain_uuid: str, call_uuid: str) -> list[AuditRecord]:
    """Return what was done to a call of the domain, in order."""
    sql = f"""select {columns(AuditRecord)} from v_voice_audits_realtime
              where domain_uuid = %s and call_uuid = %s order by acted_at, audit_uuid limit %s"""
    rows = fetch_all(connection, sql, (domain_uuid, call_uuid, MAX_SHOWN))
    return [AuditRecord(**row) for row in rows]
