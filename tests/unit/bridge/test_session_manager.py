"""Who may open a session and who may join one."""

from __future__ import annotations

import logging

import gevent
import pytest

from bridge.ports import EndCause
from bridge.routes import StreamRequest
from bridge.session.session import Session
from bridge.session_manager import SLICES, CapacityReached, SessionManager
from bridge.wire import frames
from tests.unit.bridge.session_kit import Stage


class Link:
    """Asks nobody but who it is told to ask."""

    def __init__(self) -> None:
        self.take = None

    def offer_reads(self, take) -> None:
        self.take = take


class Owner:
    """A `StreamOwner` that keeps what it gets."""

    def __init__(self) -> None:
        self.links: list[object] = []
        self.texts: list[bytes] = []

    def stream_joined(self, link) -> None:
        self.links.append(link)

    def stream_closed(self, info) -> None:
        raise AssertionError("nobody closes here")

    def stream_text(self, payload: bytes) -> None:
        self.texts.append(payload)


class Ticked:
    """Of a session what the timers need."""

    def __init__(self, number: int) -> None:
        self.domain_uuid, self.call_uuid = "domain", str(number)
        self.seen: list[float] = []

    def tick(self, now: float) -> None:
        self.seen.append(now)


@pytest.fixture
def stage(monkeypatch):
    return Stage(monkeypatch)


@pytest.fixture
def manager(stage):
    manager = SessionManager(capacity=1, clock=lambda: stage.now)
    manager.open(stage.session)
    return manager


def request(token: str, domain: str = "domain", call: str = "call") -> StreamRequest:
    return StreamRequest(domain_uuid=domain, call_uuid=call, token=token, remote="127.0.0.1")


def other_call(monkeypatch) -> Session:
    session = Stage(monkeypatch).session
    session.call_uuid = "other"
    return session


def test_no_more_calls_than_there_is_room_for(manager, stage, monkeypatch):
    other = other_call(monkeypatch)
    with pytest.raises(CapacityReached):
        manager.open(other)
    manager.release(stage.session)
    manager.open(other)
    manager.release(stage.session)  # a session that is not there any more
    assert list(manager.sessions()) == [other]
    manager.release(other)
    manager.draining = True
    manager.open(other)  # it came before


def test_a_running_call_may_open_more_sessions_than_there_are_places(manager, stage, monkeypatch):
    second = Stage(monkeypatch).session
    manager.open(second)
    manager.open(second)
    assert list(manager.sessions()) == [stage.session, second]
    assert (len(manager), manager.calls) == (2, 1)
    manager.release(stage.session)
    assert (len(manager), manager.calls) == (1, 1)
    manager.release(second)
    assert (len(manager), manager.calls) == (0, 0)
    manager.open(other_call(monkeypatch))
    with pytest.raises(CapacityReached):
        manager.open(second)
    manager.open(second, going_on=True)  # between two conversations of one call


def test_a_place_that_is_free_again_is_given(manager, stage, monkeypatch):
    other = other_call(monkeypatch)
    manager.open(Stage(monkeypatch).session)
    with pytest.raises(CapacityReached):
        manager.open(other)


def test_each_session_of_a_call_has_its_own_ticket(manager, stage, monkeypatch):
    second = Stage(monkeypatch)
    manager.open(second.session)
    first_owner, second_owner = Owner(), Owner()
    first_token = manager.issue_ticket(stage.session, first_owner)
    second_token = manager.issue_ticket(second.session, second_owner)
    assert manager.check(request(first_token)) is None
    assert manager.check(request(second_token)) is None
    link = Link()
    manager.join(request(second_token), lambda on_messages, on_closed: link)
    assert (first_owner.links, second_owner.links) == ([], [link])
    assert link.take == second.session.receive_plain
    manager.release(second.session)
    assert manager.check(request(second_token)).status == 403
    assert manager.check(request(first_token)).status == 409


def test_a_token_admits_once_and_only_to_its_own_call(manager, stage):
    token = manager.issue_ticket(stage.session, Owner())
    assert manager.check(request("")).status == 403
    assert manager.check(request(token + "x")).status == 403
    assert manager.check(request(token, domain="other")).status == 403
    assert manager.check(request(token, call="other")).status == 403
    assert manager.check(request(token)) is None
    assert manager.check(request(token)).status == 409
    assert manager.refused == 5


def test_a_new_token_ends_the_old_one(manager, stage):
    old = manager.issue_ticket(stage.session, Owner())
    new = manager.issue_ticket(stage.session, Owner())
    assert old != new
    assert manager.check(request(old)).status == 403
    assert manager.check(request(new)) is None


def test_a_session_that_has_ended_is_not_joined(manager, stage):
    owner = Owner()
    token = manager.issue_ticket(stage.session, owner)
    stage.session.end(EndCause.HANGUP)
    assert manager.check(request(token)).status == 409
    manager.join(request(token), lambda on_messages, on_closed: pytest.fail("joined"))
    assert owner.links == []


def test_messages_of_a_stream_reach_the_session(manager, stage):
    stage.talking()
    owner = Owner()
    token = manager.issue_ticket(stage.session, owner)
    streams, link = [], Link()
    manager.check(request(token))
    manager.join(request(token), lambda on_messages, on_closed: streams.append(on_messages) or link)
    assert owner.links == [link]
    (on_messages,) = streams
    on_messages([(frames.BINARY, bytes(320))])
    on_messages([(frames.BINARY, bytes(160)), (frames.TEXT, b"{}"), (frames.BINARY, bytes(160))])
    assert len(stage.host.protocol.audio) == 320
    assert owner.texts == [b"{}"]


def test_the_timers_of_one_session_do_not_stop_the_others(manager, stage, caplog, monkeypatch):
    monkeypatch.setattr("bridge.session_manager.TICK_S", 0.001)
    ticks = []

    def tick(now: float) -> None:
        ticks.append(now)
        raise ValueError("a bug")

    monkeypatch.setattr(stage.session, "tick", tick)
    with caplog.at_level(logging.CRITICAL):
        manager.start()
        with gevent.Timeout(5):
            while len(ticks) < 3:
                gevent.sleep(0.001)
        manager.stop()
    manager.stop()


def test_all_sessions_are_looked_at_but_never_all_at_once(monkeypatch):
    """Two hundred in one go would take as long as a frame of everybody's sound."""
    monkeypatch.setattr("bridge.session_manager.TICK_S", 0.01)
    number = 4 * SLICES
    stage = Stage(monkeypatch)
    manager = SessionManager(capacity=number, clock=lambda: stage.now)
    sessions = [Ticked(n) for n in range(number)]
    for session in sessions:
        manager.open(session)
    manager.release(sessions[0])
    manager.start()
    with gevent.Timeout(5):
        while not all(session.seen for session in sessions[1:]):
            together = sum(len(session.seen) for session in sessions)
            gevent.sleep(0)
            assert sum(len(session.seen) for session in sessions) - together <= 4
    manager.stop()
    assert not sessions[0].seen
