"""Hangs and leaks of one session: G2, G6 to G19."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any

import gevent
import pytest
from gevent.event import Event as Signal

from esl_controller.esl.session import ControllerSession
from tests.integration.esl_peer import FINAL_NOTICE, Peer, event, reply

from .kit import BOTH, HANG_S, BrokenOnce, Scenarios, complete, holds, outcome, say, value

DEFECTS = Scenarios()


@DEFECTS.add
def g06_end_of_the_connection_fails_who_waits(session: Any, peer: Peer) -> bool:
    session.connect()
    waiting = gevent.spawn(outcome, session.playback, "x.wav")
    peer.wait_command("sendmsg")
    peer.close()
    return isinstance(waiting.get(timeout=5), Exception)


@DEFECTS.add
def g07_bad_event_does_not_leave_a_dead_session_alive(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.send(b"Content-Length: abc\nContent-Type: text/event-plain\n\n")
    gevent.sleep(0.02)
    return outcome(say, session, "linger") != "hung"


@DEFECTS.add
def g08_reply_nobody_asked_for_does_not_either(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.send(reply("+OK surprise"))
    gevent.sleep(0.02)
    return outcome(say, session, "linger") != "hung"


@DEFECTS.add
def g09_bytes_that_are_not_utf8_do_no_harm(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.answers["getvar"] = b"Content-Type: command/reply\nReply-Text: M\xfcller\n\n"
    answer = outcome(say, session, "getvar name")
    return answer != "hung" and not isinstance(answer, Exception)


@DEFECTS.add
def g10_stop_ends_though_freeswitch_does_not_answer(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.answers["exit"] = b""
    ours = isinstance(session, ControllerSession)
    return (outcome(session.exit, HANG_S / 3) if ours else outcome(session.stop)) != "hung"


@DEFECTS.add
def g11_handler_can_stop_the_session(session: Any, peer: Peer) -> bool:
    session.connect()
    done = Signal()

    def handler(_event: Any) -> None:
        session.stop()
        done.set()

    session.register_handle("DTMF", handler)
    peer.send(event("DTMF"))
    return done.wait(HANG_S)


@DEFECTS.add
def g12_handler_can_wait_for_the_session(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.answers["sendmsg"] = lambda command: reply() + complete(command)
    done = Signal()

    def handler(_event: Any) -> None:
        session.playback("x.wav")
        done.set()

    session.register_handle("DTMF", handler)
    peer.send(event("DTMF"))
    return done.wait(HANG_S)


@DEFECTS.add
def g13_own_handler_does_not_switch_waiting_off(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.answers["sendmsg"] = lambda command: reply() + complete(command)
    session.register_handle("CHANNEL_EXECUTE_COMPLETE", lambda _event: None)
    return outcome(session.playback, "x.wav") != "hung"


@DEFECTS.add
def g14_time_out_is_an_ordinary_exception(session: Any, peer: Peer) -> bool:
    session.connect()
    late = outcome(session.call_command, "playback", "x", block=True, response_timeout=0.01)
    return isinstance(late, Exception)


@DEFECTS.add
def g15_long_command_leaves_whole(session: Any, peer: Peer) -> bool:
    session.connect()
    ours = isinstance(session, ControllerSession)
    sock = session._connection._sock if ours else session.sock
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sender = gevent.spawn(session.call_command, "playback", "x" * 200_000)
    sender.join(timeout=4 * HANG_S)
    return any(command.count("x") >= 200_000 for command in peer.commands)


@DEFECTS.add
def g15_failed_write_does_not_shift_later_replies(session: Any, peer: Peer) -> bool:
    session.connect()
    owner, name = (
        (session._connection, "_sock")
        if isinstance(session, ControllerSession)
        else (session, "sock")
    )
    setattr(owner, name, BrokenOnce(getattr(owner, name)))
    outcome(say, session, "linger")
    return outcome(say, session, "linger") != "hung"


@DEFECTS.add
def g16_two_playbacks_are_not_mixed_up(session: Any, peer: Peer) -> bool:
    session.connect()
    first = gevent.spawn(session.playback, "a.wav")
    peer.wait_command("sendmsg", 1)
    second = gevent.spawn(session.playback, "b.wav")
    peer.wait_command("sendmsg", 2)
    a, b = [command for command in peer.commands if command.startswith("sendmsg")]
    peer.send(complete(b), complete(a))
    gevent.joinall([first, second], timeout=HANG_S)
    return first.dead and value(first.value, "Application-Data") == "a.wav"


@DEFECTS.add
def g17_handler_can_be_killed(session: Any, peer: Peer) -> bool:
    session.connect()
    started = Signal()

    def handler(_event: Any) -> None:
        started.set()
        gevent.sleep(60)

    session.register_handle("DTMF", handler)
    peer.send(event("DTMF"))
    started.wait(5)
    ours = isinstance(session, ControllerSession)
    worker = session._dispatcher._worker if ours else session._process_events_greenlet
    worker.kill(timeout=HANG_S)
    return worker.dead


@DEFECTS.add
def g19_nothing_runs_on_after_the_end(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.send(FINAL_NOTICE)
    peer.close()
    gevent.sleep(HANG_S)
    ours = isinstance(session, ControllerSession)
    return ours or session._process_events_greenlet.dead


@BOTH
@pytest.mark.parametrize("name", DEFECTS)
def test_session(name: str, ours: bool) -> None:
    assert holds(DEFECTS[name], ours) is ours


FREEZE = """
from gevent import monkey; monkey.patch_all()
import gevent, socket, sys
near, far = socket.socketpair()
if sys.argv[1] == "ours":
    from esl_controller.esl.session import ControllerSession
    session = ControllerSession(near)
else:
    from greenswitch.esl import OutboundSession
    session = OutboundSession(None, near)
far.sendall(b"Content-Type: text/event-plain\\nContent-Length: 100\\n\\nabc")
far.close()
turns = 0
print("ready", flush=True)
for turns in range(20):
    gevent.sleep(0.001)
print("alive", flush=True)
"""


@pytest.mark.parametrize(("library", "alive"), [("greenswitch", False), ("ours", True)])
def test_g02_peer_that_closes_inside_a_body_does_not_freeze_the_process(library, alive):
    """In a process of its own: greenswitch's reader never yields again."""
    process = subprocess.Popen(
        [sys.executable, "-c", FREEZE, library], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        line = b""
        with gevent.Timeout(2 if alive else 0.5, False):
            line = process.stdout.readline()
        assert (line == b"alive\n") is alive
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
