"""One call against faults at each step: who is released, what is told, and in which order."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any, cast

import gevent
import pytest

from bridge.ports import EndCause, SessionEnd
from esl_controller.calls import call as call_module
from esl_controller.calls.call import Call, CallDesk
from esl_controller.calls.registry import Calls
from esl_controller.calls.transfer.destination import Destination, Kind
from esl_controller.calls.transfer.plan import TransferPlan
from esl_controller.database.models import ProcessingMode
from esl_controller.esl.errors import CallGone, CommandFailed, CommandTimeout
from esl_controller.record.outcome import Ending
from esl_controller.routes.reception import Reception
from esl_controller.routes.routing import HandBack, Outcome
from esl_controller.telemetry.metrics import Metrics
from tests.unit.call.fake_esl import CALL, DOMAIN, FakeEsl

BLIND = TransferPlan((Destination(Kind.EXTENSION, "sales", "1000", True),), reason="a price")


class Told:
    """What happened, in order, beside what FreeSWITCH was told."""

    def __init__(self, esl: FakeEsl) -> None:
        self.esl = esl

    def __call__(self, what: str) -> None:
        self.esl.writes.append([f"= {what}"])


class FakeTalk:
    """A conversation that does what the test says, and no more."""

    script: Any = None

    def __init__(self, leg: Any, entry: Any, *_: Any) -> None:
        self.leg, self.entry = leg, entry
        self.end: SessionEnd | None = None
        self.trouble = ""
        self.answered = False
        self.told = told = Told(leg.esl)
        self.session = SimpleNamespace(turns=0, end=self._end, closing=False)
        self.media = SimpleNamespace(
            start=lambda codec: self._step("media.start"),
            stop=lambda: self._step("media.stop"),
            close=lambda: told("media.close"),
        )
        self.record = SimpleNamespace(
            transfer_tried=lambda *what: told("transfer tried"),
            transfer_decided=lambda status: told(f"transfer {status}"),
            end=self._record_end,
        )
        self.ending: Ending | None = None
        leg.use_media(self.media)
        FakeTalk.last = self

    last: FakeTalk

    def _step(self, name: str) -> None:
        self.told(name)
        self.leg.esl._do(name)

    def _end(self, cause: EndCause, detail: str = "") -> None:
        self.told(f"session.end {cause.value}")
        self.end = self.end or SessionEnd(cause, detail)

    def _record_end(self, ending: Ending, turns: int) -> None:
        self.ending = ending
        self._step("record.end")

    def prepare(self) -> None:
        self._step("prepare")
        FakeTalk.script(self.call)

    @property
    def call(self) -> Any:
        return self.jobs

    def opened(self) -> None:
        self.answered = True

    def cover(self, phrase: Any) -> None:
        self.told(f"cover {phrase.value}")

    def finish(self, cause: EndCause, *, always_good_bye: bool = False) -> None:
        self.end = SessionEnd(cause)

    def announce_transfer(self) -> None:
        self.told("announce transfer")
        self.end = SessionEnd(EndCause.FINISHED)

    def stop(self) -> None:
        self._end(EndCause.HANGUP)
        self.leg.stop_media()

    def close(self) -> None:
        self.leg.close_media()
        self.told("talk.close")


class Site(SimpleNamespace):
    """No provider, no plan."""

    def plan(self, leg: Any, entry: Any) -> None:
        leg.esl._do("plan")


class Office:
    """A worker for one call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, script: Any, esl: FakeEsl) -> None:
        self.esl = esl
        told = Told(esl)
        self.rows: list[Ending] = []
        secretary = SimpleNamespace(fallback_extension=None, language="pt-BR")
        self.entry: Any = SimpleNamespace(
            domain_uuid=DOMAIN,
            domain_name="d.example.com",
            secretary=secretary,
            processing_mode=ProcessingMode.REALTIME,
        )

        def secretary_for(identity: Any) -> Any:
            esl._do("route")
            return self.entry

        def admit(entry: Any, call_uuid: str, *, back: bool) -> Any:
            esl._do("admit")
            told("admitted")
            return entry

        admission = SimpleNamespace(admit=admit, release=lambda *_: told("released"))
        config: Any = SimpleNamespace(domain_named=lambda name: None)
        real: Any = Reception(config, cast(Any, admission))
        reception: Any = SimpleNamespace(
            identify=real.identify, secretary_for=secretary_for, admission=admission
        )
        timeouts = SimpleNamespace(answer_ceiling_s=0.05)
        site: Any = Site(
            clock=gevent.get_hub().loop.now, settings=SimpleNamespace(timeouts=timeouts)
        )
        book: Any = SimpleNamespace(
            metrics=Metrics(), turned_away=lambda identity, entry, ending: self.rows.append(ending)
        )
        self.calls: Calls[Call] = Calls()
        back: Any = SimpleNamespace(take=lambda *_: None)
        self.desk = CallDesk(reception, site, book, self.calls, cast(Any, None), back)
        FakeTalk.script = staticmethod(script)

        class Talk(FakeTalk):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments)
                self.jobs = arguments[6]

        monkeypatch.setattr(call_module, "Conversation", Talk)

    def run(self) -> Call:
        call = Call(self.esl, self.desk)  # type: ignore[arg-type]
        self.calls.add(call)
        call.run()
        self.calls.discard(call)
        return call


def greet(call: Any) -> None:
    call.on_prepared()


def transfer(call: Any) -> None:
    """Asked for before the call talks, and done with by the call before it does."""
    call.transfer(BLIND)
    call._inbox.post(call.on_prepared)


def caller_leaves(call: Any) -> None:
    call.on_prepared()
    gevent.spawn_later(0.01, call.leg.esl.hang_up)


def must_be_clean(office: Office, calls: int = 0) -> None:
    """Whatever happened: what was taken was given back once, `exit` was said once, and last."""
    steps = office.esl.steps
    assert steps.count("= admitted") == steps.count("= released")
    assert steps.count("exit") == 1
    assert [step for step in steps if not step.startswith("= ")][-1] == "exit"
    assert office.esl.gone.is_set()
    assert not any(office.esl.handlers.values())
    assert len(office.calls) == calls


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
    assert FakeTalk.last.leaving  # the model gets no result, and says nothing more


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


def test_a_supervisor_can_give_the_caller_to_an_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    def given(call: Any) -> None:
        call.on_prepared()
        call.hand_back("turn_based", extension="1001", reason="asked by a supervisor")

    esl = FakeEsl()
    office = Office(monkeypatch, given, esl)
    office.run()
    must_be_clean(office)
    assert f"api uuid_transfer {CALL} 1001 XML d.example.com" in esl.steps
    assert esl.variables["voice_ai_outcome"] == "turn_based"
    assert FakeTalk.last.ending and FakeTalk.last.ending.reason == "asked by a supervisor"
