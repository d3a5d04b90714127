"""How the repository runs its statements, and how it makes those that follow from a model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import Json, RealDictCursor

Row = Mapping[str, Any]


def columns(model: type) -> str:
    """Return the column list of a model."""
    return ", ".join(field.name for field in dataclasses.fields(model))


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

    The first column is the key, `domain_uuid` the second. A value once stored is never replaced by
    NULL: rows may arrive twice and, after a crash, late. `merged` gives other rules by column.
    """
    names = [field.name for field in dataclasses.fields(model)]
    rules = {name: f"coalesce(excluded.{name}, {table}.{name})" for name in names[2:]}
    rules |= merged or {}
    changes = ", ".join(f"{name} = {rule}" for name, rule in rules.items())
    return (
        f"insert into {table} ({', '.join(names)}) values ({', '.join(['%s'] * len(names))}) "
        f"on conflict ({names[0]}) do update set {changes} "
        f"where {table}.domain_uuid = excluded.domain_uuid"
    )


def values(record: Any) -> list[Any]:
    """Return a record's values in the order of its columns, JSON where they are structured."""
    return [as_stored(getattr(record, field.name)) for field in dataclasses.fields(record)]


def as_stored(value: Any) -> Any:
    """A value as psycopg2 takes it: JSON where it is structured, text without U+0000."""
    if isinstance(value, Mapping | list | tuple):
        return Json(value, dumps=_dumps)
    if isinstance(value, str):
        return value.replace("\x00", "")  # text of PostgreSQL cannot hold it
    return value


def _dumps(value: Any) -> str:
    # \u0000 is legal JSON, but jsonb refuses it (PostgreSQL manual, 8.14).
    return json.dumps(value, ensure_ascii=False).replace("\\u0000", "")
