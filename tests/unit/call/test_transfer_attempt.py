"""One attempt against everything that can happen at each of its steps, and nothing left of it."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import gevent
import pytest

from esl_controller.calls.transfer import attempt as module
from esl_controller.calls.transfer.attempt import Attempt, CallerSide
from esl_controller.calls.transfer.destination import Destination, Kind
from esl_controller.calls.transfer.outcomes import Outcome
from esl_controller.calls.transfer.states import TransferEvent as E
from esl_controller.calls.transfer.states import TransferState as S
from esl_controller.esl.errors import CallGone, CommandFailed
from esl_controller.esl.events import Reply

SALES = Destination(Kind.EXTENSION, "sales", "201", True, "user/201@d.example.com")
IDENTITY: Any = SimpleNamespace(caller_id_number="+55 11 5551", caller_id_name='Ana "x" {y}')
ENTRY: Any = SimpleNamespace(domain_uuid="d", domain_name="d.example.com")


class Leg:
    """The human's."""

    hangup_cause = "NORMAL_CLEARING"

    def __init__(self, fault: Exception | None = None) -> None:
        self.hung_up = self.left = False
        self.events: Any = None
        self._fault = fault

    def watch(self, events: Any) -> None:
        self.events = events

    def hang_up(self) -> None:
        self.hung_up = True
        if self._fault is not None:
            raise self._fault


class World:
    """The call, its door and its FreeSWITCH. `answer`: what `originate` brings."""

    def __init__(self, answer: Any = None, *, quiet: bool = True) -> None:
        self.answer = answer
        self.said: list[str] = []
        self.dialled = ""
        self.killed = False
        self.leg = Leg()
        self.expected: list[Any] = []
        self.bridge: E | None = E.BRIDGED
        self.originated = gevent.event.Event()
        esl: Any = SimpleNamespace(bgapi=self._bgapi, send=self._send, local_host="127.0.0.1")
        side = CallerSide(
            cast(Any, SimpleNamespace(esl=esl)),
            ENTRY,
            IDENTITY,
            quiet=lambda: quiet,
            hold=lambda: self.said.append("hold"),
            join=self._join,
            brief=self._brief,
            over=lambda attempt: self.said.append("over"),
        )
        self.attempt = Attempt(side, cast(Any, self), SALES, ring_s=5)

    # the door

    def target_for(self, esl: Any) -> str:
        return "&socket(door)"

    def address_for(self, esl: Any) -> str:
        return "127.0.0.1:1"

    def expect(self, came: Any) -> Any:
        expected = SimpleNamespace(token="word", came=came)
        self.expected.append(expected)
        return expected

    def forget(self, expected: Any) -> None:
        self.expected.remove(expected)

    def come(self) -> None:
        """The human answers."""
        came = self.expected[-1].came

        def serve() -> None:
            came(self.leg)
            self.leg.left = True

        gevent.spawn(serve)

    # FreeSWITCH

    def _bgapi(self, command: str, argument: str, timeout_s: float) -> str:
        self.dialled = argument
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer == "answers":
            self.come()
        else:
            self.originated.wait(timeout_s)
        if isinstance(self.answer, Exception):
            raise self.answer
        return "+OK"

    def _send(self, command: Any) -> Reply:
        self.killed = True
        self.said.append("kill")
        return Reply("+OK")

    # the call

    def _join(self, leg: Any) -> None:
        self.said.append("join")
        if self.bridge is not None:
            self.attempt.post(self.bridge)

    def _brief(self, leg: Any, verdict: Any) -> Any:
        self.said.append("brief")
        self.verdict = verdict
        closed = lambda: self.said.append("briefing over")  # noqa: E731
        return SimpleNamespace(begin=lambda: None, close=closed)

    @contextmanager
    def running(self) -> Any:
        greenlet = gevent.spawn(self.attempt.run)
        yield
        greenlet.join(timeout=5)
        assert greenlet.ready(), self.attempt.state
        assert self.expected == []
        assert self.said[-1] == "over"

    def until(self, state: S) -> None:
        with gevent.Timeout(3, AssertionError(f"{self.attempt.state}, not {state}")):
            while self.attempt.state is not state:
                gevent.sleep(0.005)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = {
        "DOOR_S": 0.05,
        "QUIET_S": 0.02,
        "LOOK_S": 0.01,
        "CANCEL_S": 0.1,
        "VERDICT_S": 0.2,
        "JOIN_S": 0.2,
    }
    for name, seconds in waits.items():
        monkeypatch.setattr(module, name, seconds)


def test_accepted_by_a_key() -> None:
    world = World("answers")
    with world.running():
        world.until(S.BRIEFING)
        world.leg.events.on_digit("7")
        world.leg.events.on_digit("1")
    assert (world.attempt.state, world.attempt.outcome) == (S.JOINED, Outcome.ANSWERED)
    assert world.said == ["hold", "brief", "briefing over", "join", "briefing over", "over"]
    gevent.sleep(0)
    assert world.leg.left and not world.leg.hung_up
    assert "voice_ai_leg=word" in world.dialled and "ignore_early_media=true" in world.dialled
    assert "origination_caller_id_number=+55115551" in world.dialled
    assert "origination_caller_id_name=Ana" in world.dialled and "'" not in world.dialled


@pytest.mark.parametrize(
    ("does", "outcome"),
    [
        (lambda world: world.leg.events.on_digit("2"), Outcome.DECLINED),
        (lambda world: world.verdict(E.DECLINED, "in a meeting"), Outcome.DECLINED),
        (lambda world: world.verdict(E.VERDICT_LATE, ""), Outcome.NO_VERDICT),
        (lambda world: None, Outcome.NO_VERDICT),
        (lambda world: world.leg.events.on_lost(), Outcome.HUMAN_LEFT),
        (lambda world: world.attempt.post(E.CALLED_OFF), Outcome.CALLED_OFF),
        (lambda world: world.attempt.post(E.CALLER_GONE), Outcome.CALLER_GONE),
    ],
)
def test_what_ends_a_briefing(does: Any, outcome: Outcome) -> None:
    world = World("answers")
    with world.running():
        world.until(S.BRIEFING)
        does(world)
    gone = outcome is Outcome.CALLER_GONE
    assert world.attempt.state is (S.GONE if gone else S.BACK)
    assert world.attempt.outcome is outcome
    assert world.leg.hung_up or outcome is Outcome.HUMAN_LEFT
    assert world.attempt.words in ("", "in a meeting")
    assert "join" not in world.said


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (CommandFailed("originate", "-ERR USER_BUSY"), Outcome.BUSY),
        (CommandFailed("originate", "-ERR NO_ANSWER"), Outcome.NO_ANSWER),
        (CommandFailed("originate", "-USAGE"), Outcome.FAILED),
    ],
)
def test_nobody_answers(answer: Exception, outcome: Outcome) -> None:
    world = World(answer)
    with world.running():
        pass
    assert (world.attempt.state, world.attempt.outcome) == (S.BACK, outcome)
    assert not world.killed


def test_a_human_who_answers_and_cannot_reach_our_door() -> None:
    world = World()
    world.originated.set()
    with world.running():
        pass
    assert (world.attempt.state, world.attempt.outcome) == (S.BACK, Outcome.FAILED)


@pytest.mark.parametrize("event", [E.CALLED_OFF, E.CALLER_GONE])
def test_the_ringing_is_ended(event: E) -> None:
    world = World()
    with world.running():
        world.until(S.DIALLING)
        world.answer = CallGone("hung up") if event is E.CALLER_GONE else None
        world.attempt.post(event)
        world.originated.set()
    assert world.killed
    assert world.attempt.state is (S.GONE if event is E.CALLER_GONE else S.BACK)


def test_answered_in_the_moment_it_was_called_off() -> None:
    world = World()
    world._send = lambda command: Reply("-ERR No such channel!")  # type: ignore[method-assign]
    world.attempt._caller.leg.esl.send = world._send  # type: ignore[method-assign,assignment]
    with world.running():
        world.until(S.DIALLING)
        world.attempt.post(E.CALLED_OFF)
        world.come()
    assert world.leg.hung_up
    assert (world.attempt.state, world.attempt.outcome) == (S.BACK, Outcome.CALLED_OFF)


@pytest.mark.parametrize("bridge", [E.BRIDGE_REFUSED, None])
def test_a_bridge_that_is_refused_or_never_told(bridge: E | None) -> None:
    world = World("answers")
    world.bridge = bridge
    with world.running():
        world.until(S.BRIEFING)
        world.leg.events.on_digit("1")
    assert world.leg.hung_up
    assert (world.attempt.state, world.attempt.outcome) == (S.BACK, Outcome.FAILED)


def test_a_switch_that_refuses_to_hang_up_and_a_bug_of_ours() -> None:
    world = World("answers")
    world.leg = Leg(CommandFailed("hangup", "-ERR"))
    with world.running():
        world.until(S.BRIEFING)
        world.leg.events.on_digit("2")
    assert world.attempt.outcome is Outcome.DECLINED
    bug = World("answers")
    bug._brief = None  # type: ignore[method-assign,assignment]
    object.__setattr__(bug.attempt._caller, "brief", None)
    with bug.running():
        pass
    assert (bug.attempt.state, bug.attempt.outcome) == (S.BACK, Outcome.FAILED)


def test_called_off_before_anybody_was_rung() -> None:
    world = World(quiet=False)
    with world.running():
        gevent.sleep(0.03)
        world.attempt.post(E.CALLED_OFF)
    assert world.said == ["over"] and not world.dialled
