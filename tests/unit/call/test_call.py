"""One call against faults at each step: who is released, what is told, and in which order."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from bridge.ports import EndCause, SessionEnd
from esl_controller.esl.errors import CallGone, CommandFailed, CommandTimeout
from esl_controller.record.outcome import Ending
from esl_controller.routes.routing import HandBack, Outcome
from tests.unit.call.fake_esl import CALL, DOMAIN, FakeEsl
from tests.unit.call.office import (
    FakeTalk,
    Office,
    caller_leaves,
    greet,
    must_be_clean,
    transfer,
)

FAULTS = ["route", "admit", "plan", "prepare", "answer", "media.start", "api uuid_setvar"]
ERRORS = {
    "bug": (TypeError("a bug of ours"), "failed"),
    "esl": (CommandTimeout("it", 5.0), "failed"),
    "gone": (CallGone("hung up"), ""),
    "refusal": (HandBack(Outcome.CLOSED), "closed"),
    "killed": (gevent.GreenletExit(), "failed"),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("step", FAULTS)
def test_whatever_fails_everything_is_given_back(
    monkeypatch: pytest.MonkeyPatch, step: str, error: str
) -> None:
    exception, outcome = ERRORS[error]
    esl = FakeEsl(step, error=exception)
    office = Office(monkeypatch, caller_leaves, esl)
    office.run()
    must_be_clean(office)
    if step != "api uuid_setvar":  # which is how the outcome is told
        assert esl.variables.get("voice_ai_outcome", "") == outcome


@pytest.mark.parametrize("error", ["bug", "esl", "killed"])
def test_a_record_that_cannot_be_ended_keeps_no_place(
    monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    office = Office(monkeypatch, caller_leaves, FakeEsl("record.end", error=ERRORS[error][0]))
    with gevent.Timeout(5), contextlib.suppress(gevent.GreenletExit):
        office.run()
    steps = office.esl.steps
    assert steps.count("= released") == 1
    assert steps[-1] == "exit"


def test_a_transfer_asked_for_before_the_call_talks_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    esl = FakeEsl()
    office = Office(monkeypatch, transfer, esl)
    office.run()
    must_be_clean(office)
    steps = esl.steps
    stopped, released = steps.index("= media.stop"), steps.index("= released")
    sent = next(n for n, step in enumerate(steps) if step.startswith("api uuid_transfer"))
    assert stopped < released < sent < steps.index("= transfer passed_on")
    (write,) = [write for write in esl.writes if write[-1] == "exit"]
    assert write == [
        f"api uuid_setvar {CALL} voice_ai_outcome transfer_failed",
        f"api uuid_setvar {CALL} execute_on_blind_transfer_voice_ai unset voice_ai_outcome",
        f"api uuid_setvar {CALL} transfer_ringback %(1000,4000,425)",
        f"api uuid_transfer {CALL} 1000 XML d.example.com",
        "exit",
    ]
    assert FakeTalk.last.ending == Ending("transferred", "finished", None, "a price")
    assert steps.index("= keep results") < stopped  # the model gets none, and says nothing more


@pytest.mark.parametrize("end_first", [True, False])
def test_a_good_bye_before_the_call_talks_does_not_cost_a_caller_his_transfer(
    monkeypatch: pytest.MonkeyPatch, end_first: bool
) -> None:
    """The model asks for both in one answer; once the line is open the order is the same."""

    def both(call: Any) -> None:
        if end_first:
            call.end_call("all said")
        transfer(call)
        if not end_first:
            call.end_call("all said")

    esl = FakeEsl()
    office = Office(monkeypatch, both, esl)
    office.run()
    must_be_clean(office)
    assert f"api uuid_transfer {CALL} 1000 XML d.example.com" in esl.steps
    assert "= transfer passed_on" in esl.steps
    assert "= finish" not in esl.steps, "the agent says whom it connects to, not good-bye"


def test_a_good_bye_before_the_call_talks_ends_it_as_soon_as_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    esl = FakeEsl()
    office = Office(monkeypatch, lambda call: call.end_call("all said"), esl)
    office.run()
    must_be_clean(office)
    steps = esl.steps
    assert steps.index("= keep results") < steps.index("= media.start") < steps.index("= finish")


@pytest.mark.parametrize("answer", ["-ERR No such channel!", "-USAGE: <uuid>", "", "what?"])
def test_a_transfer_that_is_refused_is_told_and_stored_as_failed(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    error = CommandFailed("api uuid_transfer", answer)
    esl = FakeEsl("api uuid_transfer", error=error)
    office = Office(monkeypatch, transfer, esl)
    office.run()
    must_be_clean(office)
    assert "= transfer failed" in esl.steps
    assert esl.variables["voice_ai_outcome"] == "transfer_failed"
    ending = FakeTalk.last.ending
    assert ending is not None and ending.code is not None
    assert (ending.outcome, ending.code.value) == ("fallback", "REALTIME_009")


@pytest.mark.parametrize("error", [CommandTimeout("stop", 1.5), CommandFailed("stop", "-ERR")])
def test_a_stream_that_does_not_stop_in_time_keeps_no_caller_from_going_on(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    esl = FakeEsl("media.stop", error=error)
    office = Office(monkeypatch, transfer, esl)
    office.run()
    must_be_clean(office)
    assert f"api uuid_transfer {CALL} 1000 XML d.example.com" in esl.steps
    assert "= transfer passed_on" in esl.steps
    esl = FakeEsl("media.stop", error=error)
    office = Office(monkeypatch, given, esl)
    office.run()
    must_be_clean(office)
    assert f"api uuid_transfer {CALL} 1001 XML d.example.com" in esl.steps
    assert esl.variables["voice_ai_outcome"] == "turn_based"


def test_a_caller_who_hangs_up_in_the_last_words_of_a_transfer_is_not_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The session has ended, and so has the call: nothing is asked of FreeSWITCH any more."""

    def leaves(call: Any) -> None:
        transfer(call)
        call.leg.esl.after["media.start"] = lambda: setattr(call.leg.esl, "hungup", True)

    esl = FakeEsl()
    office = Office(monkeypatch, leaves, esl)
    office.run()
    must_be_clean(office)
    assert not any("uuid_transfer" in step or "voice_ai_outcome" in step for step in esl.steps)
    ending = FakeTalk.last.ending
    assert ending is not None and ending.outcome == "completed"


@pytest.mark.parametrize("name", ["CHANNEL_UNPARK", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_BRIDGE"])
def test_a_call_that_somebody_moves_is_let_go_of(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def moved(call: Any) -> None:
        call.on_prepared()
        gevent.spawn_later(0.01, call.leg.esl.raise_event, name, Application="socket")

    esl = FakeEsl()
    office = Office(monkeypatch, moved, esl)
    office.run()
    must_be_clean(office)
    assert "hangup" not in esl.steps and "voice_ai_outcome" not in esl.variables
    assert {"= session.end hangup", "= media.stop"} <= set(esl.steps)
    ending = FakeTalk.last.ending
    assert ending is not None and (ending.outcome, ending.cause) == ("transferred", "taken_away")


def test_a_newer_socket_on_the_channel_is_not_disturbed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our `exit` would end its park: it waits until that one is over."""
    esl = FakeEsl()

    def moved(call: Any) -> None:
        call.on_prepared()
        gevent.spawn_later(0.01, esl.raise_event, "CHANNEL_UNPARK")
        gevent.spawn_later(0.02, esl.raise_event, "CHANNEL_EXECUTE", Application="socket")
        gevent.spawn_later(0.3, note)

    def note() -> None:
        esl.writes.append(["= the newer one has ended"])
        esl.raise_event("CHANNEL_EXECUTE_COMPLETE", Application="socket")

    office = Office(monkeypatch, moved, esl)
    office.run()
    must_be_clean(office)
    steps = esl.steps
    assert steps.index("= released") < steps.index("= the newer one has ended") < len(steps) - 1


@pytest.mark.parametrize("error", ERRORS)
def test_a_refused_call_has_a_row(monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    exception, _ = ERRORS[error]
    office = Office(monkeypatch, greet, FakeEsl("route", error=exception))
    office.run()
    (row,) = office.rows
    assert row.outcome == ("failed" if error == "gone" else "refused")


def test_a_caller_who_leaves_before_anything_began_has_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    esl = FakeEsl("admit", error=CallGone("hung up"))
    esl.after["route"] = esl.hang_up
    office = Office(monkeypatch, greet, esl)
    office.run()
    (row,) = office.rows
    assert (row.outcome, row.cause) == ("abandoned", "NORMAL_CLEARING")


def test_nothing_covers_a_wait_that_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(call: Any) -> None:
        call.on_prepared()
        call.talk.end = SessionEnd(EndCause.HANGUP)
        call.on_answer_late()

    office = Office(monkeypatch, late, FakeEsl())
    office.run()
    assert "= cover one_moment" not in office.esl.steps


@pytest.mark.parametrize(
    "channel, missing", [({"Socket-Mode": ""}, "async"), ({"Control": ""}, "full")]
)
def test_a_socket_that_lacks_a_word_is_handed_back_before_the_answer(
    monkeypatch: pytest.MonkeyPatch, channel: dict[str, str], missing: str
) -> None:
    esl = FakeEsl(**channel)
    office = Office(monkeypatch, greet, esl)
    office.run()
    (row,) = office.rows
    assert f"`{missing}` is missing" in row.reason
    assert "answer" not in esl.steps
    assert esl.gone.is_set()


def test_a_second_connection_of_a_running_call_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first: Any = SimpleNamespace(key=(DOMAIN, CALL), serving=True)
    office = Office(monkeypatch, greet, FakeEsl())
    office.calls.add(first)
    office.run()
    must_be_clean(office, calls=1)
    assert "= admitted" not in office.esl.steps
    assert office.esl.variables["voice_ai_outcome"] == "overflow"


def given(call: Any) -> None:
    """To an extension that a supervisor has named."""
    call.on_prepared()
    call.hand_back("turn_based", extension="1001", reason="asked by a supervisor")


def test_a_supervisor_can_give_the_caller_to_an_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    esl = FakeEsl()
    office = Office(monkeypatch, given, esl)
    office.run()
    must_be_clean(office)
    assert f"api uuid_transfer {CALL} 1001 XML d.example.com" in esl.steps
    assert esl.variables["voice_ai_outcome"] == "turn_based"
    ending = FakeTalk.last.ending
    assert ending is not None and ending.reason == "asked by a supervisor"


def test_a_call_that_begins_on_hold_waits_until_the_caller_wants_to_hear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """FreeSWITCH raises neither CHANNEL_HOLD nor CHANNEL_UNHOLD for it."""
    sdp = "v=0\r\nm=audio 4000 RTP/AVP 0\r\na={}\r\n"
    esl = FakeEsl(variable_switch_r_sdp=sdp.format("sendonly"))
    subscribed: list[str] = []

    def reoffered(direction: str) -> None:
        subscribed[:] = [step for step in esl.steps if step.startswith("event plain")]
        esl.variables["switch_r_sdp"] = sdp.format(direction)
        esl.raise_event("sofia::reinvite")

    def waits(call: Any) -> None:
        call.on_prepared()
        gevent.spawn_later(0.01, reoffered, "inactive")
        gevent.spawn_later(0.02, reoffered, "sendrecv")
        gevent.spawn_later(0.03, esl.hang_up)

    office = Office(monkeypatch, waits, esl)
    office.run()
    must_be_clean(office)
    assert subscribed[0].endswith(" sofia::reinvite")
    told = [step for step in esl.steps if step in ("answer", "= hold", "= resume", "= media.start")]
    assert told == ["answer", "= hold", "= media.start", "= resume"]
