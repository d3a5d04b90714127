"""Events reach handlers; no handler holds the session up."""

from __future__ import annotations

import contextlib
import itertools
import socket
from urllib.parse import quote

import gevent
import pytest
from gevent.event import Event as Signal

from bridge.wire.turns import Budget, FairShare
from esl_controller.esl import connection, dispatcher
from esl_controller.esl.applications import Application
from esl_controller.esl.session import ControllerSession
from tests.integration.esl_peer import (
    CHANNEL_NAME,
    FINAL_NOTICE,
    LINGER_NOTICE,
    UUID,
    Peer,
    channel_data,
    event,
    pair,
    reply,
    until,
)

from .kit import complete


def test_handlers_get_events_in_order_and_one_that_raises_ends_nothing(call, caplog):
    session, peer = call
    seen: list[str] = []

    def bad(_event):
        raise KeyError("mine")

    session.on("DTMF", bad)
    session.on("DTMF", lambda e: seen.append(e.dtmf_digit))
    remove = session.on("mod_audio_stream::json", lambda e: seen.append(e.text))
    session.on("*", lambda e: seen.append(e.key))
    custom = event("CUSTOM", ("Event-Subclass", "mod_audio_stream::json"), body=b"{}")
    peer.send(event("DTMF", ("DTMF-Digit", "1")), custom, event("DTMF", ("DTMF-Digit", "#")))
    until(lambda: len(seen) == 6)
    assert seen == ["1", "DTMF", "{}", "mod_audio_stream::json", "#", "DTMF"]
    assert session.handler_errors == 2
    assert {record.name for record in caplog.records} == {"esl"}
    remove()
    remove()
    peer.send(custom)
    until(lambda: len(seen) == 7)
    assert seen[-1] == "mod_audio_stream::json"


def test_handler_that_raises_gevents_timeout_ends_nothing(call, caplog):
    session, peer = call
    seen: list[str] = []

    def slow(_event):
        raise gevent.Timeout(1)

    session.on("DTMF", slow)
    session.on("TALK", lambda e: seen.append(e.key))
    peer.send(event("DTMF"), event("TALK"))
    until(lambda: seen)


def test_blocked_handler_stops_neither_replies_nor_completions(call):
    session, peer = call
    session.connect(1)
    blocked, release = Signal(), Signal()

    def block(_event):
        blocked.set()
        release.wait(5)

    session.on("CHANNEL_EXECUTE_COMPLETE", block)
    peer.answers["sendmsg"] = lambda command: reply() + complete(command)
    session.execute(Application.SLEEP, "1", timeout_s=1).wait(1)
    assert blocked.wait(5)
    assert session.execute(Application.PLAYBACK, "a", timeout_s=1).wait(1)
    assert session.api("status", "", 1)
    peer.send(event("CHANNEL_HANGUP", ("Hangup-Cause", "NORMAL_CLEARING")))
    until(lambda: session.hungup)
    release.set()


def test_handler_may_wait_for_the_session_itself(call):
    session, peer = call
    peer.answers["sendmsg"] = lambda command: reply() + complete(command)
    results = []

    def handler(_event):
        results.append(session.execute(Application.PLAYBACK, "a", timeout_s=1).wait(1))
        results.append(session.api("status", "", 1))

    session.on("DTMF", handler)
    peer.send(event("DTMF"))
    until(lambda: len(results) == 2)


@pytest.mark.parametrize("way", ["close", "stop", "exit"])
def test_handler_may_end_the_session(call, way):
    session, peer = call
    done = Signal()

    def handler(_event):
        getattr(session, way)()
        done.set()

    session.on("DTMF", handler)
    peer.send(event("DTMF"), event("DTMF"))
    assert done.wait(5)
    assert session.gone.is_set()


def test_events_queued_before_the_end_are_still_delivered(call):
    session, peer = call
    seen = []

    def handler(e):
        gevent.sleep(0.01)
        seen.append(e.key)

    session.on("*", handler)
    peer.send(event("CHANNEL_HANGUP"), event("CHANNEL_HANGUP_COMPLETE"), FINAL_NOTICE)
    peer.sock.shutdown(socket.SHUT_WR)
    assert session.gone.wait(5)
    until(lambda: len(seen) == 2)


def test_close_ends_a_blocked_handler(call):
    session, peer = call
    ended = Signal()

    def handler(_event):
        try:
            gevent.sleep(60)
        finally:
            ended.set()

    session.on("DTMF", handler)
    peer.send(event("DTMF"))
    until(lambda: session._dispatcher._worker and session._dispatcher._worker.started)
    gevent.sleep(0)
    session.close()
    assert ended.is_set()


def test_slow_handler_costs_the_least_needed_events_and_no_memory(call, monkeypatch):
    session, peer = call
    monkeypatch.setattr(dispatcher, "MAX_QUEUED_EVENTS", 4)
    seen, release = [], Signal()

    def handler(e):
        release.wait(5)
        seen.append(e.key)

    session.on("*", handler)
    peer.send(event("TALK"), *[event("CHANNEL_STATE")] * 3, event("CHANNEL_HANGUP"))
    peer.send(*[event("CHANNEL_STATE")] * 50, event("CHANNEL_HANGUP_COMPLETE"), event("DTMF"))
    peer.send(reply())
    assert session.gone.wait(5)  # the unsolicited reply marks the end of what was sent
    release.set()
    until(lambda: session._dispatcher._worker is None)
    assert session.dropped_events > 0
    assert {"CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "DTMF"} <= set(seen)
    assert len(seen) <= 6


def test_queued_bytes_are_limited_too(call, monkeypatch):
    session, peer = call
    monkeypatch.setattr(dispatcher, "MAX_QUEUED_EVENT_BYTES", 10_000)
    release = Signal()
    session.on("*", lambda e: release.wait(5))
    peer.send(*[event("DTMF", body=b"x" * 4000)] * 10)
    until(lambda: session.stats.received_messages == 10)
    assert session._dispatcher._queued_bytes <= 10_000
    assert session.dropped_events >= 7
    release.set()
    until(lambda: session._dispatcher._worker is None)
    assert session._dispatcher._queued_bytes == 0


def test_malformed_event_is_counted_and_left_out(call):
    session, peer = call
    seen = []
    session.on("DTMF", lambda e: seen.append(e.key))
    peer.send(b"Content-Length: 5\nContent-Type: text/event-plain\n\nhello", event("DTMF"))
    peer.send(b"Content-Type: log/data\nContent-Length: 2\n\nhi")
    until(lambda: seen and session.stats.unknown_messages)
    assert session.stats.malformed_events == 1
    assert session.connected


class Turns:
    """Another greenlet: `most` is the most messages read between two of its turns."""

    def __init__(self, *sessions) -> None:
        self._sessions = sessions
        self.taken = [0]
        self._counter = gevent.spawn(self._count)

    def _count(self):
        while True:
            self.taken.append(sum(s.stats.received_messages for s in self._sessions))
            gevent.sleep(0)

    def most(self) -> int:
        self._counter.kill()
        return max(b - a for a, b in itertools.pairwise(self.taken))


def test_reader_pauses_though_there_is_always_more_to_read(monkeypatch):
    """A `recv` that finds data does not yield by itself."""
    monkeypatch.setattr(connection, "READERS", FairShare(Budget(size_bytes=4000, time_s=60)))
    data = event("CHANNEL_STATE", ("variable_x", "y" * 900))
    with pair() as (ours, theirs):
        theirs.sendall(data * 100)
        session = ControllerSession(ours)
        turns = Turns(session)
        until(lambda: session.stats.received_messages == 100)
        assert turns.most() <= (4000 + connection.PIECE_BYTES) / len(data) + 1
        session.close()


def test_tiny_messages_on_many_connections_leave_others_their_turns(monkeypatch):
    """64 kB hold 3,855 of them, a whole second of work for ten connections at once."""
    monkeypatch.setattr(connection, "READERS", FairShare(Budget(messages=50, time_s=60)))
    tiny = b"Content-Type: x\n\n"
    with contextlib.ExitStack() as stack:
        ends = [stack.enter_context(pair()) for _ in range(5)]
        for _, theirs in ends:
            theirs.sendall(tiny * 3000)
        sessions = [ControllerSession(ours) for ours, _ in ends]
        turns = Turns(*sessions)
        until(lambda: sum(s.stats.unknown_messages for s in sessions) == 5 * 3000)
        one_turn = 50 + connection.PIECE_BYTES / len(tiny)
        first_turns = one_turn * len(sessions)  # later on one goes at a time
        assert turns.most() <= first_turns
        assert len(turns.taken) > 5 * 3000 / one_turn
        for session in sessions:
            session.close()


FORGED = (
    "\napi status\n\n",
    "\nContent-Length: 0\n\nContent-Length: 77\nContent-Type: text/event-plain\n\n"
    f"Event-Name: DTMF\nUnique-ID: {UUID}\nDTMF-Digit: 5\n\n",
    "\nLinger-Time: -1\nContent-Length: 0\n\nContent-Type: command/reply\nReply-Text: -ERR x\n\n",
    "\n\n" + "x" * 600,
    "\r\n\r\n",
)


@pytest.mark.parametrize("forged", FORGED)
def test_a_callers_name_in_the_notice_forges_nothing(forged):
    name = f"sofia/internal/555{forged}@127.0.0.1"
    notice = LINGER_NOTICE.replace(CHANNEL_NAME.encode(), name.encode())[:511]
    seen = []
    with pair() as (ours, theirs):
        data = channel_data().replace(quote(CHANNEL_NAME).encode(), quote(name).encode())
        session, peer = ControllerSession(ours), Peer(theirs, {"connect": data})
        session.on("*", lambda e: seen.append(e.name))
        session.connect(1)
        peer.send(notice, event("CHANNEL_HANGUP_COMPLETE", ("Hangup-Cause", "NORMAL_CLEARING")))
        assert session.wait_hangup_complete(1).hangup_cause == "NORMAL_CLEARING"
        session.exit(1)
        peer.close()
    assert session.hungup
    assert session.gone_reason == "FreeSWITCH disconnected"
    assert seen == ["CHANNEL_HANGUP_COMPLETE"]
