"""What is known of a caller who comes back from a human."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bridge.providers.conversation import Ran, Said, Speaker
from esl_controller.calls.leg import CONVERSATION, RETURNING
from esl_controller.calls.transfer import returning as module
from esl_controller.calls.transfer.briefing_words import briefing, quoted
from esl_controller.calls.transfer.outcome_words import back_from, told
from esl_controller.calls.transfer.outcomes import Outcome
from esl_controller.calls.transfer.promised import Promise
from esl_controller.calls.transfer.returning import (
    MAX_TICKETS,
    TICKET_S,
    Returned,
    Returning,
    said,
)
from esl_controller.database.models import TransferRecord, Turn
from esl_controller.database.pool import DatabaseError

T, C = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
WHO: Any = SimpleNamespace(domain_uuid="d", call_uuid="c")
NOW = datetime.now(UTC)
ROW = TransferRecord(
    transfer_uuid=T,
    domain_uuid="d",
    conversation_uuid=C,
    transfer_type="announced",
    destination="201",
    status="completed",
    started_at=NOW,
)
HISTORY = [Said(Speaker.CALLER, "an invoice"), Said(Speaker.AGENT, "I connect you")]


def channel(**variables: str) -> Any:
    return SimpleNamespace(variable=lambda name: variables.get(name, ""))


BACK = channel(**{RETURNING: T, CONVERSATION: C})


class Pool:
    """A database with these rows, or none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, away: bool = False) -> None:
        self.away = away
        turns = [turn(1, "user", "an invoice"), turn(2, "dtmf", "5"), turn(3, "assistant", "Yes.")]
        fake = SimpleNamespace(list_turns=lambda *_: turns, list_transfers=lambda *_: [ROW])
        monkeypatch.setattr(module, "conversations", fake)

    @contextmanager
    def connection(self, **_: Any) -> Any:
        if self.away:
            raise DatabaseError("away")
        yield None


def turn(number: int, role: str, content: str) -> Turn:
    return Turn(
        turn_uuid=str(number),
        domain_uuid="d",
        conversation_uuid=C,
        turn_number=number,
        role=role,
        content=content,
        started_at=NOW,
    )


def test_a_ticket_is_for_one_return(monkeypatch: pytest.MonkeyPatch) -> None:
    back = Returning(cast(Any, Pool(monkeypatch)))
    back.keep(WHO, Returned(HISTORY, "sales", ROW))
    assert back.take(WHO, channel()) is None  # an ordinary call
    assert back.take(WHO, channel(**{RETURNING: "no uuid"})) is None
    found = back.take(WHO, BACK)
    assert found is not None and found.name == "sales" and found.history == HISTORY
    row = found.row()
    assert row is not None and (row.transfer_uuid, row.status) == (T, "returned")
    assert len(back) == 0


def test_without_a_ticket_the_database_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Returning(cast(Any, Pool(monkeypatch))).take(WHO, BACK)
    assert found is not None and found.transfer == ROW and found.name == "201"
    assert found.history == [Said(Speaker.CALLER, "an invoice"), Said(Speaker.AGENT, "Yes.")]


@pytest.mark.parametrize("variables", [{RETURNING: T}, {RETURNING: T, CONVERSATION: C}])
def test_without_a_database_he_is_served_all_the_same(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    back = Returning(cast(Any, Pool(monkeypatch, away=True)))
    assert back.take(WHO, channel(**variables)) == Returned((), "", None)


def test_tickets_grow_old_and_are_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    back = Returning(cast(Any, Pool(monkeypatch, away=True)), clock=lambda: now)
    for number in range(MAX_TICKETS + 5):
        who: Any = SimpleNamespace(domain_uuid="d", call_uuid=str(number))
        back.keep(who, Returned((), "sales", ROW))
    assert len(back) == MAX_TICKETS
    now = TICKET_S + 1
    back.keep(WHO, Returned((), "sales", ROW))
    assert len(back) == 1


def test_only_the_end_of_a_long_talk_is_told() -> None:
    turns = [turn(n, "user", f"{n:04d}" * 100) for n in range(100)]
    kept = said(turns)
    assert len(kept) == 30 and kept[-1].text.startswith("0099")


def test_a_briefing_quotes_and_does_not_obey() -> None:
    who: Any = SimpleNamespace(caller_id_name="Ana", caller_id_number="5551")
    history = [*HISTORY, Ran("transfer_call", "{}", "{}"), Said(Speaker.CALLER, "a\nb >>> do it")]
    brief = briefing("sales", who, "an\ninvoice" + "x" * 999, history, "pt-BR")
    assert "Ana" in brief.greeting and "invoice" in brief.greeting and "\n" not in brief.greeting
    assert len(brief.greeting) < 700
    assert "Caller: an invoice\nAgent: I connect you\nCaller: a b >>> do it" in brief.instructions
    assert {tool.name for tool in brief.tools} == {"accept_call", "decline_call"}
    nobody: Any = SimpleNamespace(caller_id_name="", caller_id_number="")
    assert briefing("sales", nobody, "", (), "xx").greeting.startswith("Hello. A call for you from")
    assert len(quoted([Said(Speaker.CALLER, "x" * 9000)])) == 4000


def test_the_model_is_told_every_outcome_and_what_was_done() -> None:
    for outcome in Outcome:
        assert "sales" in told("sales", outcome, Promise.NONE)
    assert "request_callback" in told("sales", Outcome.BUSY, Promise.CALLBACK)
    assert "promise none" in told("sales", Outcome.BUSY, Promise.IMPOSSIBLE)
    assert '"at three"' in told("sales", Outcome.DECLINED, Promise.NONE, "at three")
    assert "a colleague" in back_from("")
