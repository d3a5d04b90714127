"""Who answers an extension."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.models import SecretaryRealtime
from esl_controller.database.repository.statements import Row, fetch_all, fetch_one, stored_columns

_COLUMNS = stored_columns(SecretaryRealtime)


def find_realtime(connection: Connection, domain_uuid: str, extension: str) -> Row | None:
    """Return the enabled realtime secretary of an extension, as stored."""
    sql = f"""select {_COLUMNS} from v_voice_secretaries_realtime
              where domain_uuid = %s and extension = %s and enabled
              order by created_at desc limit 1"""
    return fetch_one(connection, sql, (domain_uuid, extension))


def list_extensions(connection: Connection, domain_uuid: str) -> list[str]:
    """Return every number of the domain that a secretary of either kind has, in order."""
    sql = """select extension from v_voice_secretaries_realtime
             where domain_uuid = %s and enabled and extension <> ''
             union select extension from v_voice_secretaries
             where domain_uuid = %s and extension <> '' order by extension"""
    return [row["extension"] for row in fetch_all(connection, sql, (domain_uuid, domain_uuid))]


def find_turn_based(connection: Connection, domain_uuid: str, extension: str) -> Row | None:
    """Return `secretary_name` and `processing_mode` of the enabled version 1 secretary.

    Installations call its flag `enabled` or `is_enabled`, boolean or text: read through JSON.
    """
    sql = """select secretary_name, processing_mode from v_voice_secretaries s
             where domain_uuid = %s and extension = %s
               and coalesce(to_jsonb(s)->>'is_enabled', to_jsonb(s)->>'enabled', 'true') = 'true'
             limit 1"""
    return fetch_one(connection, sql, (domain_uuid, extension))
