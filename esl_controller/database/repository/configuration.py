"""What a domain configures, written: secretaries, providers, settings. Columns are the models'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from psycopg2.extensions import connection as Connection

from esl_controller.database.functions import FunctionRow
from esl_controller.database.models import RealtimeProviderConfig, SecretaryRealtime, TenantSettings
from esl_controller.database.repository.statements import (
    Row,
    as_stored,
    columns,
    execute,
    fetch_all,
    fetch_one,
)


@dataclass(frozen=True, slots=True)
class ConfigurationTable:
    """One table of configuration: its key, and the model whose fields are its columns."""

    name: str
    key: str
    model: type
    order: str

    def require_columns(self, values: Mapping[str, Any]) -> list[str]:
        """Names of `values`; raises ValueError for one that is no column to be written."""
        known = {field.name for field in fields(self.model)} - {self.key, "domain_uuid"}
        if unknown := sorted(set(values) - known):
            raise ValueError(f"{self.name} has no column {unknown[0]}")
        return list(values)


SECRETARIES = ConfigurationTable(
    "v_voice_secretaries_realtime",
    "secretary_realtime_uuid",
    SecretaryRealtime,
    "extension, created_at, secretary_realtime_uuid",
)
PROVIDERS = ConfigurationTable(
    "v_voice_realtime_providers",
    "voice_realtime_provider_uuid",
    RealtimeProviderConfig,
    "priority, created_at, voice_realtime_provider_uuid",
)
FUNCTIONS = ConfigurationTable(
    "v_voice_realtime_functions",
    "voice_realtime_function_uuid",
    FunctionRow,
    "function_name, voice_realtime_function_uuid",
)
SETTINGS = ConfigurationTable(
    "v_voice_realtime_settings", "domain_uuid", TenantSettings, "domain_uuid"
)


def list_rows(connection: Connection, domain_uuid: str, table: ConfigurationTable) -> list[Row]:
    """Return every row of the domain as stored."""
    sql = f"""select {columns(table.model)} from {table.name}
              where domain_uuid = %s order by {table.order}"""
    return fetch_all(connection, sql, (domain_uuid,))


def find_row(
    connection: Connection, domain_uuid: str, table: ConfigurationTable, key: str
) -> Row | None:
    """Return one row of the domain as stored, locked until the transaction ends."""
    sql = f"""select {columns(table.model)} from {table.name}
              where domain_uuid = %s and {table.key} = %s for update"""
    return fetch_one(connection, sql, (domain_uuid, key))


def insert_row(
    connection: Connection, domain_uuid: str, table: ConfigurationTable, values: Mapping[str, Any]
) -> Row:
    """Store a new row of the domain; what is not given has the column's default."""
    names = ["domain_uuid", *table.require_columns(values)]
    sql = f"""insert into {table.name} ({", ".join(names)})
              values ({", ".join(["%s"] * len(names))}) returning {columns(table.model)}"""
    row = fetch_one(connection, sql, [domain_uuid, *map(as_stored, values.values())])
    assert row is not None  # an insert with RETURNING has its row
    return row


def update_row(
    connection: Connection,
    domain_uuid: str,
    table: ConfigurationTable,
    key: str,
    values: Mapping[str, Any],
) -> Row | None:
    """Change a row; None when the domain has no such row. `values` may not be empty."""
    changes = ", ".join(f"{name} = %s" for name in table.require_columns(values))
    sql = f"""update {table.name} set {changes}
              where domain_uuid = %s and {table.key} = %s returning {columns(table.model)}"""
    parameters = [*map(as_stored, values.values()), domain_uuid, key]
    return fetch_one(connection, sql, parameters)


def delete_row(
    connection: Connection, domain_uuid: str, table: ConfigurationTable, key: str
) -> bool:
    """Remove a row; False when the domain has no such row."""
    sql = f"delete from {table.name} where domain_uuid = %s and {table.key} = %s"
    return execute(connection, sql, (domain_uuid, key)) == 1
