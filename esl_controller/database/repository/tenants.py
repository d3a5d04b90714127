"""FusionPBX's domains and what each has set for its realtime secretaries."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.models import TenantSettings
from esl_controller.database.repository.statements import Row, columns, fetch_all, fetch_one


def list_domains(connection: Connection) -> list[Row]:
    """Return `domain_uuid` and `domain_name` of all domains: the directory, no tenant's data."""
    sql = "select domain_uuid, domain_name from v_domains order by domain_name"
    return fetch_all(connection, sql, ())


def find_domain_name(connection: Connection, domain_uuid: str) -> str | None:
    """Return the name of an existing domain; it is also its dialplan context."""
    sql = "select domain_name from v_domains where domain_uuid = %s"
    row = fetch_one(connection, sql, (domain_uuid,))
    return None if row is None else row["domain_name"]


def find_settings(connection: Connection, domain_uuid: str) -> Row | None:
    """Return the domain's settings row as stored."""
    sql = f"select {columns(TenantSettings)} from v_voice_realtime_settings where domain_uuid = %s"
    return fetch_one(connection, sql, (domain_uuid,))
