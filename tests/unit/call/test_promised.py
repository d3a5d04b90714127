"""What is left behind for a caller whom nobody took, and what the agent may say of it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.calls.transfer.outcomes import Outcome
from esl_controller.calls.transfer.plan import Fallback
from esl_controller.calls.transfer.promised import Missed, Promise, errand_of, promised
from esl_controller.routes.identity import CallIdentity
from esl_controller.services.ports import TicketWanted

CALLER = CallIdentity("d", "c", "8001", "5551", "Ana")
MISSED = Missed(CALLER, "sales", Outcome.NO_ANSWER, "an invoice", "t1", "k1")
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def entry(*, email: bool = False, webhook: bool = False, tickets: bool = False) -> Any:
    return SimpleNamespace(
        domain_uuid="d",
        secretary=SimpleNamespace(email_to=["a@example.com"] if email else []),
        tenant=SimpleNamespace(
            email_to=(),
            webhook_url="https://x" if webhook else None,
            ticket_url="https://t" if tickets else None,
        ),
    )


@pytest.mark.parametrize(
    ("wanted", "functions", "reached", "promise"),
    [
        (Fallback.AI, (), True, Promise.NONE),
        (Fallback.MESSAGE, (), True, Promise.NOTE),
        (Fallback.MESSAGE, (), False, Promise.IMPOSSIBLE),
        (Fallback.TICKET, (), True, Promise.NOTE),
        (Fallback.CALLBACK, ("request_callback",), False, Promise.CALLBACK),
        (Fallback.CALLBACK, (), True, Promise.NOTE),
        (Fallback.CALLBACK, (), False, Promise.IMPOSSIBLE),
    ],
)
def test_nothing_is_promised_that_nobody_can_do(
    wanted: Fallback, functions: tuple[str, ...], reached: bool, promise: Promise
) -> None:
    assert promised(wanted, entry(webhook=reached), functions) is promise
    assert promised(Fallback.TICKET, entry(tickets=True), functions) is Promise.TICKET


def test_a_note_says_who_called_for_whom_and_why() -> None:
    note = errand_of(Promise.NOTE, Fallback.CALLBACK, MISSED, entry(email=True), NOW)
    assert note is not None
    assert (note.kind, note.idempotency_key) == ("message", "transfer:t1")
    assert note.payload == {
        "caller_number": "5551",
        "caller_name": "Ana",
        "for": "sales",
        "reason": "an invoice",
        "tried": "sales: no answer",
        "wanted": "a call back",
        "to": ["a@example.com"],
    }


def test_a_ticket_has_what_a_ticket_system_wants() -> None:
    ticket = errand_of(Promise.TICKET, Fallback.TICKET, MISSED, entry(), NOW)
    assert ticket is not None and ticket.kind == "ticket"
    wanted = TicketWanted.of(ticket.payload)
    assert (wanted.subject, wanted.caller_number) == ("an invoice", "5551")
    assert (wanted.call_uuid, wanted.conversation_uuid) == ("c", "k1")
    assert "no answer" in ticket.payload["description"]
    for promise in (Promise.NONE, Promise.CALLBACK, Promise.IMPOSSIBLE):
        assert errand_of(promise, Fallback.AI, MISSED, entry(), NOW) is None
