"""What a call leaves behind."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.providers.base import Usage
from esl_controller.record import conversation as conversation_record
from esl_controller.record.conversation import ConversationRecord
from esl_controller.record.outcome import Ending
from esl_controller.telemetry.metrics import Metrics

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


def new_conversation(stored: list[Any], *, ledger: Any) -> ConversationRecord:
    def record(row: Any, *, personal: bool) -> None:
        stored.append(row)

    entry: Any = SimpleNamespace(
        domain_uuid="d",
        secretary=SimpleNamespace(secretary_realtime_uuid="s", model=None, language=None),
        tenant=SimpleNamespace(redact_personal_data=False, store_transcripts=True),
    )
    identity: Any = SimpleNamespace(
        call_uuid="c", caller_id_number="1", caller_id_name="", extension="8000"
    )
    return ConversationRecord(
        entry, identity, record, Metrics(), provider="openai", ledger=ledger, worker="w"
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
    conversation.used(Usage(model="gpt-realtime", output_audio_tokens=5))
    conversation.used(Usage(model="gpt-transcribe", transcription_tokens=20))
    conversation.end(Ending("completed", "hangup"), 0)
    assert stored[-1].model == "gpt-realtime"
