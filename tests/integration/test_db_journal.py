"""The journal against a real PostgreSQL: stored once, whatever fails in between."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from esl_controller.journal import Journal
from esl_controller.models import (
    ConversationRealtime,
    FunctionCallRecord,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.pool import Pool
from esl_controller.repository import conversations

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def new_id() -> str:
    return str(uuid.uuid4())


def conversation(domain_uuid: str, **fields: object) -> ConversationRealtime:
    given = {"conversation_uuid": new_id(), "call_uuid": new_id(), "started_at": NOW, **fields}
    return ConversationRealtime(domain_uuid=domain_uuid, **given)


def whole_call(domain_uuid: str) -> list:
    """Every kind of entry a call leaves behind, in the order it leaves them."""
    start = conversation(domain_uuid, caller_id="+5511999990000", worker="test")
    key = {"domain_uuid": domain_uuid, "conversation_uuid": start.conversation_uuid}
    end = conversation(
        domain_uuid,
        conversation_uuid=start.conversation_uuid,
        call_uuid=start.call_uuid,
        ended_at=NOW + timedelta(seconds=30),
        outcome="completed",
        total_turns=2,
        transcript=[{"role": "user", "text": "olá \x00", "timestamp": 0.5}],
        estimated_cost=Decimal("0.0123"),
    )
    return [
        start,
        Turn(turn_uuid=new_id(), turn_number=1, role="user", content="olá", started_at=NOW, **key),
        Turn(
            turn_uuid=new_id(), turn_number=2, role="assistant", started_at=NOW, total_ms=612, **key
        ),
        FunctionCallRecord(
            function_call_uuid=new_id(),
            function_name="lookup_customer",
            arguments={"phone": "1"},
            status="completed",
            started_at=NOW,
            **key,
        ),
        TransferRecord(
            transfer_uuid=new_id(),
            transfer_type="blind",
            destination="200",
            status="completed",
            started_at=NOW,
            **key,
        ),
        UsageRecord(
            usage_uuid=new_id(),
            provider="openai",
            occurred_at=NOW,
            input_audio_tokens=10,
            cost_usd=Decimal("0.0123"),
            **key,
        ),
        end,
    ]


@pytest.fixture
def journal(tmp_path: Path, pool: Pool):
    journal = Journal(tmp_path / "spool", pool)
    journal.start()
    yield journal
    journal.stop(timeout_s=5)


def test_a_call_is_stored_whole(database, pool, journal):
    tenant = database.seed()
    entries = whole_call(tenant.domain_uuid)
    for entry in entries:
        assert journal.record(entry)
    assert journal.wait_stored(5)
    with pool.connection() as connection:
        key = (connection, tenant.domain_uuid, entries[0].conversation_uuid)
        stored = conversations.find_conversation(*key)
        assert conversations.list_turns(*key) == entries[1:3]
        assert conversations.list_function_calls(*key) == [entries[3]]
        assert conversations.list_transfers(*key) == [entries[4]]
        assert conversations.list_usage(*key) == [entries[5]]
    assert stored is not None
    assert stored.outcome == "completed"
    assert stored.caller_id == "+5511999990000"  # told at the start, not again at the end
    assert stored.transcript[0]["text"] == "olá "  # PostgreSQL holds no NUL
    assert journal.statistics.rejected == journal.statistics.dropped == 0
