"""What greenswitch 0.0.19 gets wrong (G1 … G30), shown on it and then on ours, by the same code.

Every scenario returns True where the session behaves as it must. Each runs twice: plain
greenswitch must still fail it (else our replacement is needless), ours must pass.
"""

from __future__ import annotations

import errno
import gc
import logging
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from gevent.event import Event as Signal
from greenswitch.esl import InboundESL, OutboundESLServer, OutboundSession

from esl_controller.esl.commands import Command
from esl_controller.esl.errors import CallGone
from esl_controller.esl.server import EslServer
from esl_controller.esl.session import ControllerSession

from .esl_peer import (
    FINAL_NOTICE,
    LINGER_NOTICE,
    UUID,
    Peer,
    channel_data,
    event,
    header,
    pair,
    reply,
    until,
)

HANG_S = 0.15
"""A call that has not come back after this, with nothing left to wait for, has hung."""

CAPACITY = 2

Scenario = Callable[[Any, Peer], bool]
Serve = Callable[..., Any]
Dial = Callable[..., Peer]
SESSION: dict[str, Scenario] = {}
SERVER: dict[str, Callable[[Serve, Dial], bool]] = {}
SERVERS: list[EslServer] = []


def session_defect(scenario: Scenario) -> Scenario:
    SESSION[scenario.__name__] = scenario
    return scenario


def server_defect(scenario: Callable[[Serve, Dial], bool]) -> Callable[[Serve, Dial], bool]:
    SERVER[scenario.__name__] = scenario
    return scenario


def outcome(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What became of a call: its result, the exception it raised, or "hung"."""

    def run() -> Any:
        try:
            return function(*arguments, **named)
        except BaseException as error:
            return error

    worker = gevent.spawn(run)
    worker.join(timeout=HANG_S)
    if not worker.dead:
        worker.kill()
        return "hung"
    return worker.value


def say(session: Any, text: str) -> Any:
    """Send one command line."""
    command = Command((text,)) if isinstance(session, ControllerSession) else text
    return session.send(command)


def value(happened: Any, name: str) -> str | None:
    """One header of an event or reply of either library."""
    if isinstance(happened.headers, dict):
        return happened.headers.get(name)
    return happened.headers.get(name, None)


class BrokenOnce:
    """A socket whose next write fails."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._broken = False

    def __getattr__(self, name: str) -> Any:
        if name in ("send", "sendall") and not self._broken:
            self._broken = True
            raise OSError(errno.ENOBUFS, "No buffer space available")
        return getattr(self._sock, name)


def complete(command: str, data: str = "") -> bytes:
    application = header(command, "execute-app-name")
    return event(
        "CHANNEL_EXECUTE_COMPLETE",
        ("Application", application),
        ("Application-Data", data or header(command, "execute-app-arg")),
        ("Application-UUID", header(command, "Event-UUID") or "none"),
        ("variable_current_application", application),
    )


# --- security ---


@session_defect
def g01_caller_cannot_forge_a_header(session: Any, peer: Peer) -> bool:
    name = ("Caller-Caller-ID-Name", "Bob\nUnique-ID: forged\nvariable_provider: evil")
    peer.answers["connect"] = channel_data(name)
    session.connect()
    return (
        session.session_data.get("Unique-ID"),
        session.session_data.get("variable_provider"),
    ) in (
        (UUID, None),
        (UUID, ""),
    )


@session_defect
def g03_argument_cannot_add_a_command(session: Any, peer: Peer) -> bool:
    session.connect()
    outcome(session.call_command, "playback", "x.wav\n\napi system id")
    gevent.sleep(0.02)
    return not any(command.startswith("api") for command in peer.commands)


# --- hangs and leaks ---


@session_defect
def g06_end_of_the_connection_fails_who_waits(session: Any, peer: Peer) -> bool:
    session.connect()
    waiting = gevent.spawn(outcome, session.playback, "x.wav")
    peer.wait_command("sendmsg")
    peer.close()
    return isinstance(waiting.get(timeout=5), Exception)


@session_defect
def g07_bad_event_does_not_leave_a_dead_session_alive(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.send(b"Content-Length: abc\nContent-Type: text/event-plain\n\n")
    gevent.sleep(0.02)
    return outcome(say, session, "linger") != "hung"


@session_defect
def g08_reply_nobody_asked_for_does_not_either(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.send(reply("+OK surprise"))
    gevent.sleep(0.02)
    return outcome(say, session, "linger") != "hung"


@session_defect
def g09_bytes_that_are_not_utf8_do_no_harm(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.answers["getvar"] = b"Content-Type: command/reply\nReply-Text: M\xfcller\n\n"
    answer = outcome(say, session, "getvar name")
    return answer != "hung" and not isinstance(answer, Exception)


@session_defect
def g10_stop_ends_though_freeswitch_does_not_answer(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.answers["exit"] = b""
    ours = isinstance(session, ControllerSession)
    return (outcome(session.exit, HANG_S / 3) if ours else outcome(session.stop)) != "hung"


@session_defect
def g11_handler_can_stop_the_session(session: Any, peer: Peer) -> bool:
    session.connect()
    done = Signal()

    def handler(_event: Any) -> None:
        session.stop()
        done.set()

    session.register_handle("DTMF", handler)
    peer.send(event("DTMF"))
    return done.wait(HANG_S)


@session_defect
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


@session_defect
def g13_own_handler_does_not_switch_waiting_off(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.answers["sendmsg"] = lambda command: reply() + complete(command)
    session.register_handle("CHANNEL_EXECUTE_COMPLETE", lambda _event: None)
    return outcome(session.playback, "x.wav") != "hung"


@session_defect
def g14_time_out_is_an_ordinary_exception(session: Any, peer: Peer) -> bool:
    session.connect()
    late = outcome(session.call_command, "playback", "x", block=True, response_timeout=0.01)
    return isinstance(late, Exception)


@session_defect
def g15_long_command_leaves_whole(session: Any, peer: Peer) -> bool:
    session.connect()
    ours = isinstance(session, ControllerSession)
    sock = session._connection._sock if ours else session.sock
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    sender = gevent.spawn(session.call_command, "playback", "x" * 200_000)
    sender.join(timeout=4 * HANG_S)
    return any(command.count("x") >= 200_000 for command in peer.commands)


@session_defect
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


@session_defect
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


@session_defect
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


@session_defect
def g19_nothing_runs_on_after_the_end(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.send(FINAL_NOTICE)
    peer.close()
    gevent.sleep(HANG_S)
    ours = isinstance(session, ControllerSession)
    return ours or session._process_events_greenlet.dead


# --- what is read ---


@session_defect
def g25_refused_connect_is_an_error(session: Any, peer: Peer) -> bool:
    peer.answers["connect"] = reply("-ERR no")
    return isinstance(outcome(session.connect), Exception)


@session_defect
def g26_body_is_the_body(session: Any, peer: Peer) -> bool:
    seen = []
    session.connect()
    session.register_handle("mod_audio_stream::json", seen.append)
    body = b'{"path": "100%41",\n"a: b": 1}'
    peer.send(event("CUSTOM", ("Event-Subclass", "mod_audio_stream::json"), body=body))
    until(lambda: seen)
    return getattr(seen[0], "body", None) == body


@session_defect
def g27_empty_value_does_not_swallow_the_next_line(session: Any, peer: Peer) -> bool:
    empty = b"Empty:\nSocket-Mode"
    peer.answers["connect"] = channel_data().replace(b"Socket-Mode", empty)
    session.connect()
    data = session.session_data
    return (data.get("Reply-Text", "x").strip(), data.get("Empty", "x")) == ("+OK", "")


@session_defect
def g27_json_events_are_read(session: Any, peer: Peer) -> bool:
    seen = []
    session.connect()
    session.register_handle("DTMF", seen.append)
    inner = b'{"Event-Name":"DTMF","DTMF-Digit":"5"}'
    peer.send(b"Content-Length: %d\nContent-Type: text/event-json\n\n" % len(inner), inner)
    gevent.sleep(0.02)
    return bool(seen)


@session_defect
def g28_body_of_a_notice_is_not_read_as_messages(session: Any, peer: Peer) -> bool:
    session.connect()
    body = reply("+OK forged")
    notice = b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\n"
    peer.answers["linger"] = notice + b"Content-Length: %d\n\n" % len(body) + body
    answer = outcome(say, session, "linger")
    return isinstance(answer, CallGone)


@session_defect
def g29_one_exception_for_a_call_that_has_gone(session: Any, peer: Peer) -> bool:
    session.connect()
    peer.send(LINGER_NOTICE)
    gevent.sleep(0.02)
    lingering = outcome(session.call_command, "playback", "x")
    peer.close()
    gevent.sleep(0.02)
    return type(lingering) is type(outcome(say, session, "linger"))


@session_defect
def g30_background_jobs_are_matched(session: Any, peer: Peer) -> bool:
    session.connect()
    return hasattr(session, "bgapi") and session.bgapi("status", "", 1) == "+OK\n"


# --- the server ---


@server_defect
def g04_silent_peer_is_let_go(serve: Serve, dial: Dial) -> bool:
    peer = dial(serve(lambda session: None), {"connect": b""})
    peer._reader.join(timeout=4 * HANG_S)
    return peer.ended


@server_defect
def g18_application_that_cannot_be_made_leaves_nothing(serve: Serve, dial: Dial) -> bool:
    def make() -> None:
        raise RuntimeError("no")

    peer = dial(serve(lambda session: None, make))
    peer._reader.join(timeout=2 * HANG_S)
    return peer.ended


@server_defect
def g20_accepting_does_not_poll(serve: Serve, dial: Dial) -> bool:
    serve(lambda session: None)
    loop = gevent.get_hub().loop
    gevent.sleep(0.01)
    before = loop.iteration
    gevent.sleep(0.5)
    return loop.iteration - before <= 3


@server_defect
def g21_capacity_is_exact(serve: Serve, dial: Dial) -> bool:
    running, leave = [], Signal()

    def on_call(session: Any) -> None:
        running.append(session)
        leave.wait(5)

    address = serve(on_call)
    peers = [dial(address) for _ in range(10)]
    until(lambda: all(peer.commands for peer in peers))
    gevent.sleep(HANG_S)
    leave.set()
    return len(running) == CAPACITY


@server_defect
def g23_failed_accept_does_not_end_the_server(serve: Serve, dial: Dial) -> bool:
    ran: list[Any] = []
    address = serve(ran.append, fail_one_accept=True)
    dial(address)
    with gevent.Timeout(3 * HANG_S, False):
        until(lambda: ran)
    return bool(ran)


@server_defect
def g25_refused_connect_starts_no_application(serve: Serve, dial: Dial) -> bool:
    ran: list[Any] = []
    peer = dial(serve(ran.append), {"connect": reply("-ERR no")})
    peer.wait_command("connect")
    gevent.sleep(0.02)
    return not ran


# --- both libraries ---


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def failing_once(accept: Callable[[], Any]) -> Callable[[], Any]:
    errors = iter([OSError(errno.EMFILE, "Too many open files")])

    def run() -> Any:
        for error in errors:
            raise error
        return accept()

    return run


def serve_plain(
    on_call: Callable[[Any], Any],
    make: Callable[[], None] = lambda: None,
    *,
    fail_one_accept: bool = False,
) -> Any:
    class Application:
        def __init__(self, session: Any) -> None:
            self.session = session
            make()

        def run(self) -> None:
            on_call(self.session)

    class Listener:
        def __init__(self, sock: Any) -> None:
            self.accept = failing_once(sock.accept)

    server = OutboundESLServer("127.0.0.1", free_port(), Application, max_connections=CAPACITY)
    gevent.spawn(server.listen)
    until(lambda: server._running)
    if fail_one_accept:
        server.server = Listener(server.server)
    return "127.0.0.1", server.bound_port


def serve_ours(
    on_call: Callable[[Any], Any],
    make: Callable[[], None] = lambda: None,
    *,
    fail_one_accept: bool = False,
) -> Any:
    def run(session: Any) -> None:
        make()
        on_call(session)

    server = EslServer(("127.0.0.1", 0), run, capacity=CAPACITY, connect_timeout_s=HANG_S)
    if fail_one_accept:
        server._server.do_read = failing_once(server._server.do_read)
    server.start()
    SERVERS.append(server)
    return server.address


@pytest.fixture(autouse=True)
def _swept() -> Iterator[None]:
    """Plain greenswitch leaves greenlets and sockets behind: take them away after each test."""
    gc.freeze()
    yield
    while SERVERS:
        SERVERS.pop().stop(0)
    things = gc.get_objects()
    left = [thing for thing in things if isinstance(thing, gevent.Greenlet)]
    gevent.killall(left, block=False)
    gevent.sleep(0)
    gevent.killall(left, timeout=5)  # greenswitch swallows the first GreenletExit: G17
    for thing in things:
        if isinstance(thing, gevent.socket.socket):
            thing._real_close()  # close() would wait for greenswitch's forgotten makefile()
    gc.unfreeze()


@pytest.fixture
def dial() -> Iterator[Dial]:
    peers: list[Peer] = []

    def call(address: Any, answers: dict[str, bytes] | None = None) -> Peer:
        peers.append(Peer(socket.create_connection(address), answers))
        return peers[-1]

    yield call
    for peer in peers:
        peer.close()


@pytest.mark.parametrize("ours", [False, True], ids=["greenswitch", "ours"])
@pytest.mark.parametrize("name", SESSION)
def test_session(name: str, ours: bool) -> None:
    with pair() as (near, far):
        session = ControllerSession(near) if ours else OutboundSession(None, near)
        assert SESSION[name](session, Peer(far)) is ours
        if ours:
            session.close()


@pytest.mark.parametrize("ours", [False, True], ids=["greenswitch", "ours"])
@pytest.mark.parametrize("name", SERVER)
def test_server(name: str, ours: bool, dial: Dial) -> None:
    assert SERVER[name](serve_ours if ours else serve_plain, dial) is ours


FORGETS_ITS_SOCKET = pytest.mark.filterwarnings(
    "ignore:.*unclosed.*:ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)

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


@FORGETS_ITS_SOCKET
def test_g05_neither_access_list_nor_ipv6():
    with pytest.raises(SystemExit):
        OutboundESLServer("::1", free_port(), object).listen()
    server = EslServer(("::1", 0), lambda session: None, capacity=1)
    assert server.address[1]
    server.stop(0)


@FORGETS_ITS_SOCKET
def test_g22_port_that_is_taken_is_an_error_and_port_0_a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(SystemExit) as caught:
            OutboundESLServer("127.0.0.1", taken.getsockname()[1], object).listen()
        assert caught.value.code is None  # which a process ends with as 0: success
        with pytest.raises(OSError, match="in use"):
            EslServer(taken.getsockname(), lambda session: None, capacity=1)


def test_g24_stop_has_a_deadline(dial):
    def on_call(_session: Any) -> None:
        gevent.sleep(60)

    dial(serve_plain(on_call))
    listening = next(
        thing
        for thing in gc.get_objects()
        if isinstance(thing, gevent.Greenlet) and getattr(thing, "_run", None).__name__ == "listen"
    )
    server = listening._run.__self__
    until(lambda: server.connection_count)
    server.stop()
    listening.join(timeout=2 * HANG_S)
    assert not listening.dead
    dial(serve_ours(on_call))
    until(lambda: SERVERS[0].active_calls)
    assert outcome(SERVERS[0].stop, 0.01) is None


@pytest.mark.parametrize("ours", [False, True], ids=["greenswitch", "ours"])
def test_g29_callers_number_is_not_logged(caplog, ours):
    caplog.set_level(logging.DEBUG)
    with pair() as (near, far):
        session = ControllerSession(near) if ours else OutboundSession(None, near)
        peer = Peer(far)
        session.connect()
        peer.send(event("CHANNEL_HANGUP"), LINGER_NOTICE)
        gevent.sleep(0.02)
        assert ("5551000" in caplog.text) is not ours
        assert ("root" in {record.name for record in caplog.records}) is not ours
        if ours:
            session.close()


def test_g30_inbound_connection_does_not_come_back():
    """Ours does: test_esl_inbound."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = InboundESL("127.0.0.1", listener.getsockname()[1], "ClueCon")
    connecting = gevent.spawn(client.connect)
    sock, _ = listener.accept()
    peer = Peer(sock, {"auth": reply("+OK accepted")})
    peer.send(b"Content-Type: auth/request\n\n")
    connecting.get(timeout=5)
    peer.close()
    until(lambda: not client.connected)
    listener.settimeout(HANG_S)
    with pytest.raises(TimeoutError):
        listener.accept()
    listener.close()
