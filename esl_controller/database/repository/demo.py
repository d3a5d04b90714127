"""Rows for a database of our own: FusionPBX's domain table where there is no FusionPBX, and a
domain with one secretary for demo and tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import Json

from esl_controller.database.repository.statements import execute, fetch_one

_LOCK_KEY = 0x76646F6D  # 'vdom'
_V_DOMAINS = """
    create table if not exists v_domains (
      domain_uuid uuid primary key, domain_parent_uuid uuid, domain_name text,
      domain_enabled boolean, domain_description text, insert_date timestamptz, insert_user uuid,
      update_date timestamptz, update_user uuid)"""


@dataclass(frozen=True, slots=True)
class DemoTenant:
    """What was stored."""

    domain_uuid: str
    domain_name: str
    extension: str
    secretary_realtime_uuid: str
    voice_realtime_provider_uuid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoProvider:
    """Who the demo secretary speaks through."""

    realtime_provider: str = "openai"
    base_url: str | None = None
    credential: str | None = field(default=None, repr=False)
    model: str | None = None
    provider_settings: dict[str, Any] = field(default_factory=dict)


def prepare_standalone(connection: Connection) -> None:
    """Make FusionPBX's domain table in a database without FusionPBX; run before the migrations."""
    # Two at once could both find no table, and one of them fail.
    execute(connection, "select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
    execute(connection, _V_DOMAINS, ())


def add_domain(connection: Connection, name: str, domain_uuid: str | None = None) -> str:
    """Make a domain where there is no FusionPBX, and return its `domain_uuid`.

    One of this name that is there is left as it is. `domain_uuid`: that it is to have.
    """
    prepare_standalone(connection)
    found = fetch_one(
        connection, "select domain_uuid from v_domains where domain_name = %s", (name,)
    )
    if found is None:
        sql = """insert into v_domains (domain_uuid, domain_name, domain_enabled)
                 values (coalesce(%s, gen_random_uuid()), %s, true) returning domain_uuid"""
        found = fetch_one(connection, sql, (domain_uuid, name))
    assert found is not None  # an insert with RETURNING has its row
    return str(found["domain_uuid"])


def demo_seed(
    connection: Connection,
    domain_uuid: str,
    extension: str,
    *,
    domain_name: str = "demo.example",
    provider: DemoProvider | None = None,
    **secretary: Any,
) -> DemoTenant:
    """Store a domain, its provider and a secretary on `extension`; what is there is replaced.

    `secretary` are further columns of `v_voice_secretaries_realtime`, such as `system_prompt`.
    """
    sql = """insert into v_domains (domain_uuid, domain_name, domain_enabled)
             values (%s, %s, true) on conflict (domain_uuid) do nothing"""
    execute(connection, sql, (domain_uuid, domain_name))
    provider_uuid = _store_provider(connection, domain_uuid, provider or DemoProvider())
    columns = {
        "domain_uuid": domain_uuid,
        "extension": extension,
        "secretary_name": "Demo secretary",
        "voice_realtime_provider_uuid": provider_uuid,
        "realtime_provider": (provider or DemoProvider()).realtime_provider,
        **secretary,
    }
    sql = "delete from v_voice_secretaries_realtime where domain_uuid = %s and extension = %s"
    execute(connection, sql, (domain_uuid, extension))
    secretary_uuid = _insert(
        connection, "v_voice_secretaries_realtime", "secretary_realtime_uuid", columns
    )
    return DemoTenant(domain_uuid, domain_name, extension, secretary_uuid, provider_uuid)


def _store_provider(connection: Connection, domain_uuid: str, provider: DemoProvider) -> str:
    sql = """delete from v_voice_realtime_providers
             where domain_uuid = %s and provider_label = 'demo'"""
    execute(connection, sql, (domain_uuid,))
    columns = {
        "domain_uuid": domain_uuid,
        "realtime_provider": provider.realtime_provider,
        "provider_label": "demo",
        "base_url": provider.base_url,
        "credential": provider.credential,
        "model": provider.model,
        "provider_settings": provider.provider_settings,
    }
    key = "voice_realtime_provider_uuid"
    return _insert(connection, "v_voice_realtime_providers", key, columns)


def _insert(connection: Connection, table: str, key: str, columns: dict[str, Any]) -> str:
    values = [Json(v) if isinstance(v, dict | list) else v for v in columns.values()]
    sql = f"""insert into {table} ({", ".join(columns)})
              values ({", ".join(["%s"] * len(values))}) returning {key}"""
    row = fetch_one(connection, sql, values)
    assert row is not None  # an insert with RETURNING has its row
    return str(row[key])
