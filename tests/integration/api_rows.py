"""Conversations in the tables, as journals leave them there."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    JournalEntry,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.database.pool import Pool
from esl_controller.database.repository import conversations, pages

NOW = datetime.now(UTC).replace(microsecond=0)


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass
class Talk:
    """One conversation that can be added to."""

    pool: Pool
    domain_uuid: str
    row: ConversationRealtime
    turns: list[Turn] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.row.conversation_uuid

    @property
    def names(self) -> dict[str, str]:
        return {"domain_uuid": self.domain_uuid, "conversation_uuid": self.key}

    def store(self, *entries: JournalEntry) -> None:
        """As the journal does: rows, and word of them, in one transaction."""
        with self.pool.connection() as connection:
            for entry in entries:
                conversations.store(connection, self.domain_uuid, entry)
            pages.announce(connection, self.domain_uuid, [self.key])

    def say(self, text: str, role: str = "user", **more: Any) -> Turn:
        """One more turn."""
        turn = Turn(
            turn_uuid=new_id(),
            turn_number=len(self.turns) + 1,
            role=role,
            content=text,
            started_at=NOW + timedelta(seconds=len(self.turns)),
            **self.names,
            **more,
        )
        self.turns.append(turn)
        self.store(turn)
        return turn

    def end(self, outcome: str = "completed") -> None:
        self.row = replace(self.row, ended_at=NOW, outcome=outcome)
        self.store(self.row)


def begin(pool: Pool, domain_uuid: str, call_uuid: str = "", **more: Any) -> Talk:
    """A conversation that goes on."""
    row = ConversationRealtime(
        conversation_uuid=new_id(),
        domain_uuid=domain_uuid,
        call_uuid=call_uuid or new_id(),
        **({"started_at": NOW, "destination": "8001", "caller_id": "+5511999"} | more),
    )
    talk = Talk(pool, domain_uuid, row)
    talk.store(row)
    return talk


def with_everything(talk: Talk) -> None:
    """A row of each kind."""
    talk.say("Hello.", "assistant", total_ms=400, network_ms=20, model_ms=370, buffer_ms=10)
    talk.store(
        FunctionCallRecord(
            function_call_uuid=new_id(),
            function_name="lookup_customer",
            arguments={"phone": "+5511999"},
            result={"name": "Somebody"},
            status="completed",
            started_at=NOW,
            duration_ms=12,
            **talk.names,
        ),
        TransferRecord(
            transfer_uuid=new_id(),
            transfer_type="blind",
            destination="200",
            status="completed",
            started_at=NOW,
            **talk.names,
        ),
        UsageRecord(
            usage_uuid=new_id(),
            provider="openai",
            model="gpt-realtime-2.1",
            occurred_at=NOW,
            audio_seconds=1.5,
            cost_usd=Decimal("0.25"),
            **talk.names,
        ),
    )
