"""The Lua scripts' statements on a database, beside the service's own look-up of the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2.extras import RealDictCursor

from esl_controller.database.models import RouteEntry, TurnBasedEntry
from esl_controller.database.pool import Pool
from esl_controller.database.repository import tenants
from esl_controller.tenants.keys.secrets import SecretStore
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.source import ConfigSource
from tests.integration.db_tenants import populated
from tests.integration.fusionpbx_tables import FUSIONPBX_TABLES
from tests.lua_runtime import Lua, bound

VERSION_1 = {
    "none": None,
    "turn_based": {"processing_mode": "turn_based"},
    "no mode": {"processing_mode": None},
    "realtime": {"processing_mode": "realtime"},
    "auto": {"processing_mode": "auto"},
    "off": {"processing_mode": "auto", "enabled": False},
}


@pytest.fixture
def query(database: Any) -> Callable[[str, Mapping[str, str]], Sequence[Mapping[str, Any]]]:
    def run(sql: str, parameters: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        with closing(psycopg2.connect(database.dsn, cursor_factory=RealDictCursor)) as connection:
            cursor = connection.cursor()
            cursor.execute(bound(sql, parameters))
            return cursor.fetchall()

    return run


def of_the_service(source: ConfigSource, domain_uuid: str, number: str) -> set[str]:
    """What it makes of the number; with settings it refuses, the mode is still version 1's."""
    try:
        found = source.load(domain_uuid, number)
    except ConfigError:
        return {"realtime", "auto"}
    if isinstance(found, RouteEntry):
        return {found.processing_mode.value}
    return {"turn_based"} if isinstance(found, TurnBasedEntry) else {"none"}


def of_the_script(query: Any, **channel: str) -> Lua:
    lua = Lua(variables=channel, query=query)
    lua.run("get_secretary_mode.lua")
    assert [text for _, text in lua.log] == []
    return lua


def test_both_say_the_same_of_every_number(
    database: Any, pool: Pool, secret_store: SecretStore, query: Any
) -> None:
    database.execute(FUSIONPBX_TABLES)
    source = ConfigSource(pool, secret_store)
    database.execute("alter table v_voice_secretaries add column if not exists enabled boolean")
    for realtime in (True, False, None):
        for name, version_1 in VERSION_1.items():
            tenant = database.seed(extension="8001" if realtime is not None else "7000")
            domain_uuid = tenant.domain_uuid
            if realtime is False:
                database.execute("update v_voice_secretaries_realtime set enabled = false")
            if version_1 is not None:
                row = {"enabled": True} | version_1
                database.execute(
                    """insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid,
                         extension, secretary_name, processing_mode, enabled)
                       values (gen_random_uuid(), %s, '8001', 'V1', %s, %s)""",
                    domain_uuid,
                    row["processing_mode"],
                    row["enabled"],
                )
            told = of_the_script(query, destination_number="8001", domain_uuid=domain_uuid)
            wanted = of_the_service(source, domain_uuid, "8001")
            assert told.variables["voice_ai_mode"] in wanted, (realtime, name)
            other = of_the_script(query, destination_number="8002", domain_uuid=domain_uuid)
            assert other.variables["voice_ai_mode"] == "none"


def test_both_find_the_same_domain_by_its_name(database: Any, pool: Pool, query: Any) -> None:
    database.execute(FUSIONPBX_TABLES)
    tenant = database.seed(extension="8001", name="One.example.com")
    for _ in "ab":
        database.seed(extension="8001", name="two.example.com")
    database.seed(extension="8001", name="münchen.example.com")
    names = ("one.example.com", "ONE.EXAMPLE.COM", "two.example.com", "x", "' or true --")
    for name in (*names, "münchen.example.com"):
        lua = of_the_script(query, destination_number="8001", context=name)
        with pool.connection(autocommit=True) as connection:
            found = tenants.find_domain(connection, name)
        assert lua.variables.get("domain_uuid") == found
        assert (found == tenant.domain_uuid) == name.lower().startswith("one.")


def test_a_telephone_keeps_its_number_and_its_alias(database: Any, query: Any) -> None:
    database.execute(FUSIONPBX_TABLES)
    domain_uuid = database.seed(extension="8001").domain_uuid
    database.execute(
        """insert into v_extensions (extension_uuid, domain_uuid, extension, number_alias, enabled)
           values (gen_random_uuid(), %s, '201', '8001', true)""",
        domain_uuid,
    )
    told = of_the_script(query, destination_number="8001", domain_uuid=domain_uuid)
    assert told.variables["voice_ai_mode"] == "none"
    database.execute("update v_extensions set enabled = false")
    told = of_the_script(query, destination_number="8001", domain_uuid=domain_uuid)
    assert told.variables["voice_ai_mode"] == "realtime"


def test_the_conversation_so_far_is_read_by_its_domain(
    database: Any, pool: Pool, query: Any
) -> None:
    database.execute(FUSIONPBX_TABLES)
    tenant, stranger = populated(database), populated(database)
    database.execute("update v_voice_turns_realtime set content = %s", "Olá, d'água")
    database.execute("update v_voice_conversations_realtime set ended_at = now()")

    def told(domain_uuid: str) -> Any:
        known = {"domain_uuid": domain_uuid, "voice_ai_conversation": tenant.conversation_uuid}
        return Lua(variables=known, query=query).call("voice_ai.history", "of_call", "session")

    assert told(tenant.domain_uuid) == [{"role": "user", "content": "Olá, d'água"}]
    assert not told(stranger.domain_uuid)
