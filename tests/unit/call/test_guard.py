"""A worker that hung, and what the dialplan did meanwhile; what is told of a call given back."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.ports import EndCause
from esl_controller.calls.leg import SO_FAR
from tests.unit.call.fake_esl import CALL, FakeEsl
from tests.unit.call.office import Office, caller_leaves, must_be_clean

CONVERSATION = "77777777-2222-4333-8444-555555555555"


def test_a_worker_that_lives_calls_the_guard_off_with_its_first_commands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    esl = FakeEsl(variable_current_application="socket")
    office = Office(monkeypatch, caller_leaves, esl)
    office.run()
    assert f"api sched_del voice_ai_{CALL}" in esl.writes[0]
    must_be_clean(office)


def test_a_caller_whom_the_guard_has_sent_on_is_left_where_he_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    esl = FakeEsl(variable_current_application="bridge")
    office = Office(monkeypatch, caller_leaves, esl)
    office.run()
    assert esl.steps == ["exit"]
    assert [ending.cause for ending in office.rows] == []
    must_be_clean(office)


def gives_up(call: Any) -> None:
    call.on_prepared()
    call.leg.conversation_uuid = CONVERSATION  # as its conversation does
    call.hand_back("turn_based", reason="asked for")


def test_who_goes_on_with_a_caller_is_told_the_conversation_so_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    esl = FakeEsl()
    office = Office(monkeypatch, gives_up, esl)
    office.run()
    must_be_clean(office)
    assert esl.variables["voice_ai_outcome"] == "turn_based"
    assert esl.variables[SO_FAR] == CONVERSATION
    told = [step for step in esl.steps if step.startswith("api uuid_setvar")]
    assert told[-2:] == [
        f"api uuid_setvar {CALL} {SO_FAR} {CONVERSATION}",
        f"api uuid_setvar {CALL} voice_ai_outcome turn_based",
    ]
    assert EndCause.HANGUP.value in "".join(esl.steps)


def test_a_call_that_never_was_a_conversation_has_none_to_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    esl = FakeEsl("route", error=RuntimeError("x"))
    Office(monkeypatch, caller_leaves, esl).run()
    assert SO_FAR not in esl.variables
