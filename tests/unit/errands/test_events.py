"""What is told of a call, to whom, and with which words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from bridge.ports import Utterance
from bridge.providers.conversation import Speaker
from esl_controller.database.acts import Errand, errand
from esl_controller.database.models import TenantSettings
from esl_controller.money.budget import BudgetLevel, BudgetState
from esl_controller.record.events import budget_event
from esl_controller.record.outcome import Ending
from esl_controller.record.privacy import redact
from tests.unit.call.test_conversation_record import new_conversation

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
SAID = "My number is 11 98888-7777, the card 4111 1111 1111 1111."


def told(**tenant: Any) -> list[Errand]:
    """The errands of one call in which the caller says SAID and is passed on."""
    stored: list[Any] = []
    conversation = new_conversation(stored, **tenant)
    conversation.uttered(Utterance(Speaker.CALLER, SAID, 1.0, item_id="i"))
    conversation.transfer_tried("announced", "201", "wants sales")
    conversation.transfer_decided("busy")
    conversation.end(Ending("completed", "hangup"), 1)
    errands = [one for one in stored if isinstance(one, Errand)]
    for one in errands:
        msgspec.json.encode(one)
        assert one.conversation_uuid == conversation.row.conversation_uuid
    return errands


def names(errands: list[Errand]) -> list[str]:
    return [str(one.payload.get("event", one.kind)) for one in errands]


def test_nobody_is_told_unless_he_asked() -> None:
    assert told() == []
    assert names(told(webhook_url="https://a.example", webhook_events=["call.ended"])) == [
        "call.ended"
    ]


def test_the_events_of_a_call() -> None:
    errands = told(webhook_url="https://a.example", email_to=["a@b.example"], summarise_calls=True)
    assert names(errands) == [
        *("call.started", "transfer.started", "transfer.ended"),
        *("summary", "call.ended", "email"),
    ]
    summary, ended, letter = errands[3:]
    assert ended.waits_for == letter.waits_for == summary.errand_uuid
    assert errands[0].waits_for is None
    assert len({one.errand_uuid for one in errands}) == 6
    assert errands[2].payload["data"]["status"] == "busy"
    assert "transcript" not in ended.payload, "it is read from the conversation"


def test_what_is_not_kept_is_not_sent_unless_it_is_wanted() -> None:
    asked: dict[str, Any] = {
        "webhook_url": "https://a.example",
        "summarise_calls": True,
        "store_transcripts": False,
    }
    silent = told(**asked)
    assert "summary" not in names(silent)
    assert all("transcript" not in one.payload for one in silent)
    loud = told(**asked, send_unstored=True)
    assert "summary" in names(loud)
    assert loud[-1].payload["transcript"][0]["text"] == SAID


def test_card_numbers_never_leave() -> None:
    one = errand(
        "webhook", "d", "k", {"data": {"caller_id": "+5511988887777", "said": [SAID]}}, NOW
    )
    public, personal = (redact(one, personal=flag) for flag in (False, True))
    assert isinstance(public, Errand)
    assert isinstance(personal, Errand)
    for redacted in (public, personal):
        assert redacted.payload["data"]["caller_id"] == "+5511988887777"
        assert "4111" not in str(redacted.payload)
    assert "98888-7777" in str(public.payload)
    assert "98888-7777" not in str(personal.payload)


def test_a_budget_is_told_once_a_day() -> None:
    state = BudgetState(BudgetLevel.WARNING, "day", Decimal("8.5"), Decimal(10))
    tenant = TenantSettings(domain_uuid="d", webhook_url="https://a.example")
    first, again = (budget_event(tenant, "warning", state, NOW) for _ in range(2))
    assert first is not None
    assert first == again
    assert first.payload["data"]["spent_usd"] == "8.5"
    tomorrow = budget_event(tenant, "warning", state, NOW.replace(day=2))
    assert tomorrow is not None
    assert tomorrow.errand_uuid != first.errand_uuid
    assert budget_event(TenantSettings(domain_uuid="d"), "warning", state, NOW) is None
