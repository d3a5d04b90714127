"""What a domain's secretaries speak through."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.models import RealtimeProviderConfig
from esl_controller.database.repository.statements import Row, columns, execute, fetch_all

_COLUMNS = columns(RealtimeProviderConfig)


def list_providers(connection: Connection, domain_uuid: str) -> list[Row]:
    """Return all provider rows of the domain as stored, in fail-over order."""
    sql = f"""select {_COLUMNS} from v_voice_realtime_providers
              where domain_uuid = %s order by priority, created_at, voice_realtime_provider_uuid"""
    return fetch_all(connection, sql, (domain_uuid,))


def store_credential(
    connection: Connection, domain_uuid: str, voice_realtime_provider_uuid: str, credential: str
) -> bool:
    """Replace a provider's credential; False when the domain has no such provider."""
    sql = """update v_voice_realtime_providers set credential = %s
             where domain_uuid = %s and voice_realtime_provider_uuid = %s"""
    return execute(connection, sql, (credential, domain_uuid, voice_realtime_provider_uuid)) == 1
