"""How the repository runs its statements, and how it makes those that follow from a model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from psycopg2.extensions import connection as Connection
from psycopg2.extras import Json, RealDictCursor

from esl_controller.database.models import UNUSED_COLUMNS

Row = Mapping[str, Any]
_NUL = rb"\u0000"


def columns(model: type) -> str:
    """Return the column list of a model."""
    return ", ".join(field.name for field in dataclasses.fields(model))


def stored_columns(model: type) -> str:
    """Return the column list of a model's table: those the model has, and those nothing reads."""
    return ", ".join([columns(model), *UNUSED_COLUMNS.get(model, ())])


def fetch_all(connection: Connection, sql: str, parameters: Sequence[Any]) -> list[Row]:
    """Return every row."""
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def fetch_one(connection: Connection, sql: str, parameters: Sequence[Any]) -> Row | None:
    """Return the first row, None when there is none."""
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()


def execute(connection: Connection, sql: str, parameters: Sequence[Any]) -> int:
    """Return how many rows were touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.rowcount


def upsert_statement(table: str, model: type, *, merged: Mapping[str, str] | None = None) -> str:
    """Return an insert that a repetition turns into an update of the same domain's row only.

    The first column is the key, `domain_uuid` the second; after the columns' values the domain
    comes once more. For a domain that was deleted meanwhile nothing is inserted: PostgreSQL's log
    would keep the refused statement, where neither retention nor erasure finds its words. A value
    once stored is never replaced by NULL: rows may arrive twice and, after a crash, late. `merged`
    gives other rules by column.
    """
    names = [field.name for field in dataclasses.fields(model)]
    return (
        f"insert into {table} ({', '.join(names)}) select {', '.join(['%s'] * len(names))} "
        "where exists (select 1 from v_domains where domain_uuid = %s) "
        f"{_on_conflict(table, names, merged)}"
    )


def _on_conflict(table: str, names: Sequence[str], merged: Mapping[str, str] | None) -> str:
    rules = {name: f"coalesce(excluded.{name}, {table}.{name})" for name in names[2:]}
    rules |= merged or {}
    changes = ", ".join(f"{name} = {rule}" for name, rule in rules.items())
    return (
        f"on conflict ({names[0]}) do update set {changes} "
        f"where {table}.domain_uuid = excluded.domain_uuid"
    )


def rows_statement(table: str, model: type, *, merged: Mapping[str, str] | None = None) -> str:
    """The same for many rows of a domain, none with a key twice. Returns the keys that were stored.

    It takes the rows as one JSON array and the domain: PostgreSQL takes it to pieces, not the hub.
    """
    names = [field.name for field in dataclasses.fields(model)]
    return (
        f"insert into {table} ({', '.join(names)}) "
        f"select {', '.join(names)} from json_populate_recordset(null::{table}, %s) "
        "where exists (select 1 from v_domains where v_domains.domain_uuid = %s) "
        f"{_on_conflict(table, names, merged)} returning {names[0]}"
    )


def insert_rows(
    connection: Connection, sql: str, domain_uuid: str, records: Sequence[Any]
) -> list[tuple[Any, ...]]:
    """Run a `rows_statement`; return what it returns."""
    with connection.cursor() as cursor:
        cursor.execute(sql, (as_json(records), domain_uuid))
        return list(cursor.fetchall())


def as_json(records: Sequence[Any]) -> str:
    """The rows of a `rows_statement`, without U+0000."""
    text = msgspec.json.encode(records)
    if _NUL in text:  # or the six letters: rare enough to be looked at one by one
        text = msgspec.json.encode(_without_nul(msgspec.to_builtins(records)))
    return text.decode()


def values(record: Any) -> list[Any]:
    """Return a record's values in the order of its columns, JSON where they are structured."""
    return [as_stored(getattr(record, field.name)) for field in dataclasses.fields(record)]


def as_stored(value: Any) -> Any:
    """A value as psycopg2 takes it: JSON where it is structured, text without U+0000."""
    if isinstance(value, Mapping | list | tuple):
        return Json(_without_nul(value), dumps=_dumps)
    return _without_nul(value)


def _without_nul(value: Any) -> Any:
    """U+0000 is legal JSON, but neither text nor jsonb takes it (PostgreSQL manual, 8.14)."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, Mapping):
        return {_without_nul(name): _without_nul(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nul(inner) for inner in value]
    return value


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
