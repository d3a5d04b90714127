"""Faults on demand: one vocabulary, and each emulator's part of it."""

from __future__ import annotations

import pytest

from esl_controller.simulator.chat.faults import FAULTS as CHAT
from esl_controller.simulator.deepgram.faults import FAULTS as DEEPGRAM
from esl_controller.simulator.elevenlabs.faults import FAULTS as ELEVENLABS
from esl_controller.simulator.gemini.faults import FAULTS as GEMINI
from esl_controller.simulator.openai.faults import FAULTS as OPENAI
from esl_controller.simulator.service.faults import Fault, FaultTable, UnknownFault, wanted

TABLES = {
    "openai": OPENAI,
    "elevenlabs": ELEVENLABS,
    "gemini": GEMINI,
    "deepgram": DEEPGRAM,
    "chat": CHAT,
}


@pytest.mark.parametrize("name", TABLES)
def test_every_emulator_does_the_whole_vocabulary_or_says_why_not(name: str) -> None:
    table: FaultTable[object] = TABLES[name]
    assert set(table.can) | set(table.cannot) == set(Fault)
    assert not set(table.can) & set(table.cannot)
    for fault in table.can:
        assert table.make(fault.value) != table.kind(), fault
        assert table.make(f"{fault.value}=2") != table.kind(), fault
    for fault, why in table.cannot.items():
        with pytest.raises(UnknownFault, match=why):
            table.make(fault.value)


@pytest.mark.parametrize(
    ("text", "fault", "value", "at_s"),
    [
        ("drop", Fault.DROP, None, 0.0),
        ("close=1012@2.5", Fault.CLOSE, 1012.0, 2.5),
        ("rate_limit=1.5", Fault.RATE_LIMIT, 1.5, 0.0),
    ],
)
def test_a_fault_is_read(text: str, fault: Fault, value: float | None, at_s: float) -> None:
    assert (wanted(text).fault, wanted(text).value, wanted(text).at_s) == (fault, value, at_s)


@pytest.mark.parametrize("text", ["", "dorp", "drop@", "drop@x", "close=x", "slow=-1", "drop 2"])
def test_what_is_no_fault_is_refused_with_words(text: str) -> None:
    with pytest.raises(UnknownFault, match="NAME"):
        OPENAI.make(text)


def test_several_faults_and_plain_fields_make_one() -> None:
    made = OPENAI.make("slow=0.5", "close=1013@3", "close_reason=busy")
    assert (made.connect_delay_s, made.close_code, made.close_after_s) == (0.5, 1013, 3.0)
    assert made.close_reason == "busy"


def test_what_is_told_at_the_door_alone_cannot_come_later() -> None:
    with pytest.raises(UnknownFault, match="not later"):
        DEEPGRAM.make("quota@3")
