"""What a call leaves behind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.ports import Utterance
from bridge.providers.base import FunctionCall, Usage
from bridge.providers.conversation import Speaker
from esl_controller.database.models import TenantSettings, Turn
from esl_controller.record import conversation as conversation_record
from esl_controller.record.conversation import MAX_STORED_BYTES, ConversationRecord
from esl_controller.record.outcome import Ending
from esl_controller.record.withheld import WITHHELD
from esl_controller.telemetry.metrics import Metrics
from esl_controller.tools.base import FunctionOutcome

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Clocks:
    """Both clocks of a host."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.passed_s = NOON, 1000.0
        monkeypatch.setattr(
            conversation_record, "datetime", SimpleNamespace(now=lambda _: self.wall)
        )
        monkeypatch.setattr(
            conversation_record, "time", SimpleNamespace(monotonic=lambda: self.passed_s)
        )

    def pass_(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.passed_s += seconds


class AtOnce:
    """A journal that puts down at once what it is told."""

    worker = "w"

    def later(self, put_down: Callable[..., object], *arguments: Any) -> None:
        put_down(*arguments)

    def settle(self) -> None:
        """Nothing waits."""


def new_conversation(
    stored: list[Any], *, ledger: Any = None, journal: Any = None, **tenant: Any
) -> ConversationRecord:
    journal = journal or AtOnce()

    def record(row: Any, *, personal: bool) -> None:
        stored.append(row)

    entry: Any = SimpleNamespace(
        domain_uuid="d",
        secretary=SimpleNamespace(
            secretary_realtime_uuid="s",
            secretary_name="Reception",
            model=None,
            language=None,
            email_to=(),
        ),
        tenant=TenantSettings(domain_uuid="d", **tenant),
    )
    identity: Any = SimpleNamespace(
        call_uuid="c",
        caller_id_number="1",
        caller_id_name="",
        extension="8000",
        direction="inbound",
    )
    return ConversationRecord(
        entry, identity, record, Metrics(), provider="openai", ledger=ledger, journal=journal
    )


@pytest.mark.parametrize("jump_s", [-86400, -10, 0, 3600])
def test_setting_the_clock_makes_no_call_longer_or_shorter(
    jump_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks, stored = Clocks(monkeypatch), []
    conversation = new_conversation(stored, ledger=None)  # nothing is used
    clocks.pass_(2)
    conversation.answered()
    clocks.wall += timedelta(seconds=jump_s)
    clocks.pass_(30)
    conversation.end(Ending("completed", "hangup"), 0)
    last = stored[-1]
    assert (last.started_at, last.answered_at) == (NOON, NOON + timedelta(seconds=2))
    assert (last.ended_at, last.duration_seconds) == (NOON + timedelta(seconds=32), 30)


def test_the_model_is_the_one_that_answered() -> None:
    stored: list[Any] = []
    ledger = SimpleNamespace(book=lambda *_, **__: SimpleNamespace(cost_usd=None))
    conversation = new_conversation(stored, ledger=ledger)
    conversation.used(Usage("openai", model="gpt-realtime", output_audio_tokens=5))
    conversation.used(Usage("openai", model="gpt-transcribe", transcription_tokens=20))
    conversation.end(Ending("completed", "hangup"), 0)
    assert stored[-1].model == "gpt-realtime"


def test_what_a_model_wrote_is_audited_up_to_a_limit() -> None:
    stored: list[Any] = []
    conversation = new_conversation(stored, ledger=None)
    for arguments in ({"text": "x" * 60_000}, "not JSON " * 1000, [1], {"n": 1}):
        outcome = FunctionOutcome(
            "u", FunctionCall("c", "f", ""), "failed", 0.0, arguments, {"error": "e"}, "e", 0.1
        )
        conversation.function(outcome)
    long, text, number, short = (row.arguments for row in stored[1:])
    assert (long["length"], len(long["text"])) == (60_011, MAX_STORED_BYTES)
    assert len(text["text"]) == MAX_STORED_BYTES
    assert number == {"text": "[1]", "length": 3}
    assert short == {"n": 1}


def test_a_reason_is_kept_without_a_key_and_cut() -> None:
    stored: list[Any] = []
    conversation = new_conversation(stored, ledger=None)
    conversation.end(Ending("failed", "x", None, "no: sk-abcdefghijklmnopqrstuvwx " * 50), 0)
    assert "sk-abc" not in stored[-1].reason
    assert len(stored[-1].reason) <= 500


def test_words_that_are_corrected_are_kept_as_they_were_corrected() -> None:
    """Not as cut off: they were only written down better."""
    stored: list[Any] = []
    conversation = new_conversation(stored, ledger=None)  # nothing is used
    conversation.uttered(Utterance(Speaker.CALLER, "When do", 1.0, False, "u", None))
    conversation.uttered(Utterance(Speaker.CALLER, "When do you open?", 1.0, False, "u", None))
    conversation.uttered(Utterance(Speaker.AGENT, "At nine o'clock", 2.0, False, "a", None))
    conversation.uttered(Utterance(Speaker.AGENT, "At nine o'clock.", 2.0, True, "a", 400))
    turns = {turn.turn_uuid: turn for turn in stored if isinstance(turn, Turn)}
    assert [(t.content, t.interrupted, t.heard_ms) for t in turns.values()] == [
        ("When do you open?", False, None),
        ("At nine o'clock.", True, 400),
    ]


def test_words_of_a_pause_are_not_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the caller's, known after the pause, nor the agent's that repeat them."""
    clocks, stored = Clocks(monkeypatch), []
    record = new_conversation(stored, ledger=None)

    def say(speaker: Speaker, text: str, at_s: float, item: str) -> str:
        record.uttered(Utterance(speaker, text, at_s, item_id=item))
        turn = stored[-1]
        assert isinstance(turn, Turn)
        return turn.content

    assert say(Speaker.AGENT, "Your card number?", 0.0, "a") == "Your card number?"
    clocks.pass_(5)
    record.withheld.begin(record.now_s)
    clocks.pass_(5)
    assert say(Speaker.AGENT, "I heard 4929", 8.0, "b") == WITHHELD
    record.withheld.end(record.now_s)
    clocks.pass_(2)
    assert say(Speaker.CALLER, "4929 1234", 4.0, "c") == WITHHELD
    assert say(Speaker.CALLER, "Thank you", 11.5, "d") == "Thank you"
    assert say(Speaker.CALLER, "4929 1234 and more", 4.0, "c") == WITHHELD
    assert say(Speaker.AGENT, "Your card number, please?", 0.0, "a") != WITHHELD


def test_what_was_told_last_is_in_the_row_of_a_call_that_ends_at_once() -> None:
    class Later(AtOnce):
        def __init__(self) -> None:
            self.told: list[Callable[[], object]] = []

        def later(self, put_down: Callable[..., object], *arguments: Any) -> None:
            self.told.append(partial(put_down, *arguments))

        def settle(self) -> None:
            while self.told:
                self.told.pop(0)()

    stored: list[Any] = []
    ledger = SimpleNamespace(book=lambda *_, **__: SimpleNamespace(cost_usd=Decimal("0.5")))
    record = new_conversation(stored, ledger=ledger, journal=Later())
    record.uttered(Utterance(Speaker.CALLER, "Good-bye.", 1.0, item_id="i"))
    record.used(Usage("openai", "gpt", output_audio_tokens=7))
    assert not any(isinstance(row, Turn) for row in stored)
    record.end(Ending("completed", "hangup"), 1)
    row = stored[-1]
    assert [line["text"] for line in row.transcript] == ["Good-bye."]
    assert (row.model, row.output_tokens, row.estimated_cost) == ("gpt", 7, Decimal("0.5"))
