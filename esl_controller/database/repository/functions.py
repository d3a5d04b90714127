"""The functions a domain has of its own."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.functions import FunctionRow
from esl_controller.database.repository.statements import (
    Row,
    as_stored,
    columns,
    execute,
    fetch_all,
    fetch_one,
)

_COLUMNS = columns(FunctionRow)


def list_functions(connection: Connection, domain_uuid: str) -> list[Row]:
    """Return all functions of the domain as stored."""
    sql = f"""select {_COLUMNS} from v_voice_realtime_functions
              where domain_uuid = %s order by function_name, voice_realtime_function_uuid"""
    return fetch_all(connection, sql, (domain_uuid,))


def store_credential(
    connection: Connection, domain_uuid: str, voice_realtime_function_uuid: str, credential: str
) -> bool:
    """Replace a function's credential; False when the domain has no such function."""
    sql = """update v_voice_realtime_functions set credential = %s
             where domain_uuid = %s and voice_realtime_function_uuid = %s"""
    return execute(connection, sql, (credential, domain_uuid, voice_realtime_function_uuid)) == 1


def store_catalogue(
    connection: Connection,
    domain_uuid: str,
    voice_realtime_function_uuid: str,
    catalogue: list[dict[str, object]],
) -> Row | None:
    """Keep what an MCP server said of its tools; None when the domain has no such function."""
    sql = f"""update v_voice_realtime_functions set mcp_catalogue = %s
              where domain_uuid = %s and voice_realtime_function_uuid = %s
              returning {_COLUMNS}"""
    return fetch_one(
        connection, sql, (as_stored(catalogue), domain_uuid, voice_realtime_function_uuid)
    )


def has_enabled_mcp(connection: Connection) -> bool:
    """Whether any domain has an MCP server in use: the installation then needs the extra."""
    sql = """select exists (select 1 from v_voice_realtime_functions
             where function_kind = 'mcp' and enabled) as found"""
    row = fetch_one(connection, sql, ())
    return bool(row and row["found"])
