"""Records of calls: what is stored of them, however often, in whatever order, however long."""

import dataclasses
from datetime import timedelta

import pytest

from esl_controller.database.models import (
    UNUSED_COLUMNS,
    ConversationRealtime,
    FunctionCallRecord,
    RealtimeProviderConfig,
    SecretaryRealtime,
    TenantSettings,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.database.repository import conversations, pages
from tests.integration.db_tenants import CALL, NOW, Tenant, new_id, populated


@pytest.fixture
def two(database) -> tuple[Tenant, Tenant]:
    return populated(database), populated(database)


TABLES = {
    SecretaryRealtime: "v_voice_secretaries_realtime",
    RealtimeProviderConfig: "v_voice_realtime_providers",
    TenantSettings: "v_voice_realtime_settings",
    ConversationRealtime: "v_voice_conversations_realtime",
    Turn: "v_voice_turns_realtime",
    FunctionCallRecord: "v_voice_function_calls_realtime",
    TransferRecord: "v_voice_transfers_realtime",
    UsageRecord: "v_voice_usage_realtime",
}


@pytest.mark.parametrize("model", TABLES)
def test_models_have_the_columns_of_their_tables(database, model):
    rows = database.execute(
        """select column_name, character_maximum_length from information_schema.columns
           where table_name = %s and column_name not in ('created_at', 'updated_at')""",
        TABLES[model],
    )
    used = {field.name for field in dataclasses.fields(model)}
    assert {name for name, _ in rows} == used.union(UNUSED_COLUMNS.get(model, ()))
    if TABLES[model] in conversations._TABLES.values():
        for name, limit in rows:
            if limit is not None and name in conversations.TEXT_LIMITS:
                assert conversations.TEXT_LIMITS[name] <= limit


def test_texts_longer_than_their_columns_are_cut(pool, two):
    tenant = two[0]
    hostile = dataclasses.replace(
        tenant.entries[0],
        **dict.fromkeys(("caller_id", "caller_name", "destination", "end_cause"), "x" * 5000),
    )
    call = dataclasses.replace(
        tenant.entries[2], function_name="f" * 5000, provider_call_id="i" * 5000
    )
    with pool.connection() as connection:
        assert conversations.store(connection, tenant.domain_uuid, hostile)
        assert conversations.store(connection, tenant.domain_uuid, call)
        key = (connection, tenant.domain_uuid, tenant.conversation_uuid)
        assert conversations.find_conversation(*key).caller_id == "x" * 100
        assert conversations.list_function_calls(*key)[0].function_name == "f" * 100


def by_call(connection, tenant):
    key = pages.find_key_by_call(connection, tenant.domain_uuid, CALL)
    return conversations.find_conversation(connection, tenant.domain_uuid, key)


def test_an_end_completes_the_start_and_a_late_start_undoes_nothing(pool, two):
    tenant = two[0]
    start = tenant.entries[0]
    end = dataclasses.replace(
        start,
        caller_id=None,
        ended_at=NOW,
        outcome="completed",
        total_turns=4,
        transcript=[{"role": "user", "text": "a"}],
    )
    with pool.connection() as connection:
        for entry in (end, start, end, start):
            assert conversations.store(connection, tenant.domain_uuid, entry)
        stored = by_call(connection, tenant)
    assert stored == dataclasses.replace(end, caller_id=start.caller_id)


def test_a_lost_worker_s_conversations_are_closed_at_their_last_word(pool, two):
    tenant, other = two
    later = dataclasses.replace(
        tenant.entries[1], turn_uuid=new_id(), turn_number=2, started_at=NOW + timedelta(seconds=9)
    )
    with pool.connection() as connection:
        conversations.store(connection, tenant.domain_uuid, later)
        limit = NOW + timedelta(hours=1)
        closed = conversations.close_abandoned(connection, tenant.domain_uuid, "w", limit)
        again = conversations.close_abandoned(connection, tenant.domain_uuid, "w", limit)
        stored = by_call(connection, tenant)
        running = by_call(connection, other)
    assert (closed, again) == (1, 0)
    assert (stored.outcome, stored.end_cause, stored.duration_seconds) == (
        "failed",
        "worker_lost",
        9,
    )
    assert running.ended_at is None
