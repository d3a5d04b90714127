from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator

import gevent
import pytest
from gevent import monkey
from gevent.event import Event as Signal
from structlog.testing import capture_logs

from esl_controller.esl import commands, server
from esl_controller.esl.applications import Application
from esl_controller.esl.errors import CallGone
from esl_controller.esl.server import EslServer, listening_socket
from esl_controller.esl.session import ControllerSession

from .esl_peer import (
    FINAL_NOTICE,
    RUN_UNSET,
    UUID,
    Peer,
    greenlets,
    nothing_left,
    reply,
    started,
    until,
)

OUTCOME = commands.execute(Application.SET, "voice_ai_outcome=overloaded", event_lock=False)


class Calls:
    """`on_call` of the tests: holds every call until `leave` is set."""

    def __init__(self) -> None:
        self.leave = Signal()
        self.seen: list[str] = []
        self.most = 0
        self._now = 0

    def __call__(self, session: ControllerSession) -> None:
        self.seen.append(session.uuid)
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            self.leave.wait(10)
        finally:
            self._now -= 1


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    with nothing_left():
        yield


@pytest.fixture
def serve() -> Iterator[Callable[..., EslServer]]:
    running: list[EslServer] = []

    def start(on_call, *, capacity=2, **options) -> EslServer:
        made = EslServer(
            ("127.0.0.1", 0), on_call, capacity=capacity, hand_back=(OUTCOME,), **options
        )
        made.start()
        running.append(made)
        return made

    yield start
    for made in running:
        made.stop(0)


@pytest.fixture
def dial(serve) -> Iterator[Callable[..., Peer]]:
    made: list[Peer] = []

    def call(to: EslServer, answers: dict[str, bytes] | None = None) -> Peer:
        made.append(Peer(socket.create_connection(to.address), answers))
        return made[-1]

    yield call
    for peer in made:
        peer.close()


def test_each_call_runs_connected_and_is_closed_when_it_returns(serve, dial):
    calls = Calls()
    calls.leave.set()
    peer = dial(serve(calls))
    peer.wait_eof()
    assert calls.seen == [UUID]
    assert peer.commands[0] == "connect" and peer.commands[-1] == "exit"


def test_capacity_is_exact_whoever_comes_at_once(serve, dial):
    calls = Calls()
    running = serve(calls)
    peers = [dial(running) for _ in range(10)]
    until(lambda: running.stats.handed_back == 8 and running.active_calls == 2)
    assert (len(calls.seen), calls.most, running.connecting) == (2, 2, 0)
    calls.leave.set()
    for peer in peers:
        peer.wait_eof()
    until(lambda: running.active_calls == 0)
    again = dial(running)
    again.wait_eof()
    assert len(calls.seen) == 3


def test_full_server_hands_back_once_the_call_is_parked(serve, dial):
    """`exit` before the park leaves the caller with nobody in control."""
    calls = Calls()
    peer = dial(serve(calls, capacity=0), {RUN_UNSET: reply()})
    proof = peer.wait_command(RUN_UNSET)
    assert peer.commands[0] == "connect"
    assert "execute-app-arg: voice_ai_outcome=overloaded" in peer.commands[1]
    gevent.sleep(0.05)
    assert "exit" not in peer.commands
    peer.send(started(proof))
    peer.wait_command("exit")
    peer.wait_eof()
    assert calls.seen == []


def test_hand_back_ends_when_freeswitch_closes(serve, dial):
    running = serve(Calls(), capacity=0)
    dial(running).wait_eof()
    assert running.stats.handed_back == 1


def test_hand_back_leaves_the_closing_to_freeswitch(serve, dial):
    """Closing first could reset the connection before `exit` is read."""
    serve_full = serve(Calls(), capacity=0)
    peer = dial(serve_full, {"exit": reply("+OK bye")})
    peer.wait_command("exit")
    gevent.sleep(0.05)
    assert not peer.ended
    peer.send(FINAL_NOTICE)
    peer.wait_eof()


def test_hand_back_to_a_silent_peer_ends_by_itself(serve, dial, monkeypatch):
    monkeypatch.setattr(server, "HAND_BACK_TIMEOUT_S", 0.02)
    running = serve(Calls(), capacity=0)
    peer = dial(running, {"": b"", RUN_UNSET: b"", "exit": b""})
    peer.wait_eof()


def test_capacity_can_change_while_running(serve, dial):
    calls = Calls()
    running = serve(calls, capacity=0)
    dial(running).wait_eof()
    running.capacity = 1
    dial(running)
    until(lambda: len(calls.seen) == 1)


def test_silent_peers_are_counted_closed_and_take_no_capacity(serve, dial):
    calls = Calls()
    running = serve(calls, capacity=1, connect_timeout_s=0.5)
    silent = [dial(running, {"connect": b""}) for _ in range(5)]
    until(lambda: running.connecting == 5)
    dial(running)
    until(lambda: len(calls.seen) == 1)
    for peer in silent:
        peer.wait_eof()
    assert running.stats.silent_peers == 5
    assert running.connecting == 0


def test_beyond_the_limit_connections_wait_for_their_turn(dial, monkeypatch):
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 1)
    calls = Calls()
    running = EslServer(("127.0.0.1", 0), calls, capacity=5)
    running.start()
    dial(running)
    until(lambda: len(calls.seen) == 1)
    second = dial(running)
    gevent.sleep(0.02)
    assert running.stats.accepted == 1
    calls.leave.set()
    second.wait_eof()
    assert len(calls.seen) == 2
    running.stop(1)


@pytest.mark.parametrize("answer", [reply("-ERR no"), reply("+OK"), b"\n\n"])
def test_connect_that_fails_never_reaches_the_call(serve, dial, answer):
    calls = Calls()
    running = serve(calls)
    dial(running, {"connect": answer}).wait_eof()
    assert running.stats.failed_connects == 1
    assert calls.seen == []


def test_peer_that_leaves_at_once_is_forgotten(serve, dial):
    running = serve(Calls())
    for _ in range(20):
        dial(running).reset()
    until(lambda: running.stats.accepted == 20 and running.active_calls + running.connecting == 0)


@pytest.mark.parametrize("error", [RuntimeError("bug"), CallGone("x"), gevent.Timeout(1)])
def test_call_that_raises_ends_alone(serve, dial, caplog, error):
    def on_call(session):
        raise error

    running = serve(on_call)
    dial(running).wait_eof()
    dial(running).wait_eof()
    assert running.stats.failed_calls == 2
    assert running.active_calls == 0
    assert {record.name for record in caplog.records} == {"esl"}


def test_addresses_not_allowed_are_closed_before_a_word(serve, dial):
    calls = Calls()
    running = serve(calls, allow=[ipaddress.ip_network("192.0.2.0/24")])
    peer = dial(running)
    peer.wait_eof()
    assert peer.commands == []
    assert running.stats.refused_address == 1


def test_a_crowd_that_is_not_allowed_is_one_line_in_the_log(serve, dial):
    running = serve(Calls(), allow=[ipaddress.ip_network("192.0.2.0/24")])
    with capture_logs() as lines:
        for peer in [dial(running) for _ in range(100)]:
            peer.wait_eof()
    assert running.stats.refused_address == 100
    assert [line["event"] for line in lines] == ["esl.address_not_allowed"]


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("fe80::1%eth0", False),
        ("::ffff:192.0.2.1", False),
    ],
)
def test_allow_list_knows_mapped_and_scoped_addresses(serve, host, allowed):
    assert serve(Calls())._allowed(host) is allowed


def test_drain_closes_the_port_and_lets_calls_finish(serve, dial):
    calls = Calls()
    running = serve(calls)
    peer = dial(running)
    until(lambda: calls.seen)
    address = running.address
    running.close_listener()
    running.close_listener()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    assert running.active_calls == 1
    calls.leave.set()
    peer.wait_eof()


def test_drain_serves_what_the_kernel_had_already_accepted_and_there_is_room_for(serve):
    """Such a call would otherwise be reset before `connect`: its caller would ring for ever. And
    FreeSWITCH tries nobody else for it: whom another worker would serve must not be sent back."""
    calls = Calls()
    running = serve(calls, capacity=2)
    plain_socket = monkey.get_original("socket", "socket")  # connects without leaving this greenlet
    waiting = [plain_socket() for _ in range(3)]
    for sock in waiting:
        sock.connect(running.address)
    running.close_listener()
    peers = [Peer(socket.socket(fileno=sock.detach())) for sock in waiting]
    until(lambda: len(calls.seen) == 2 and running.stats.handed_back == 1)
    calls.leave.set()
    for peer in peers:
        peer.wait_eof()
        assert peer.commands[0] == "connect" and peer.commands[-1] == "exit"
        peer.close()


def test_stop_waits_then_ends_the_rest(serve, dial):
    calls = Calls()
    running = serve(calls)
    peer = dial(running)
    until(lambda: calls.seen)
    running.stop(0.02)
    peer.wait_eof()
    assert running.active_calls == 0


def test_workers_share_a_port():
    first = listening_socket(("127.0.0.1", 0), reuse_port=True)
    second = listening_socket(first.getsockname(), reuse_port=True)
    with pytest.raises(OSError):
        listening_socket(first.getsockname())
    first.close()
    second.close()


def test_ipv6_listener_and_the_options_of_an_accepted_socket(dial):
    options = []
    done = Signal()

    def on_call(session):
        sock = session._connection._sock
        options.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        options.append(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        done.set()

    running = EslServer(listening_socket(("::1", 0)), on_call, capacity=1)
    running.start()
    dial(running)
    assert done.wait(5)
    assert all(options)
    assert running.address[0] == "::1"
    running.stop(1)


def test_accept_survives_running_out_of_descriptors(serve, dial, monkeypatch, capfd):
    calls = Calls()
    running = serve(calls)
    accept = running._server.do_read
    failures = iter([OSError(24, "Too many open files")])

    def failing():
        for error in failures:
            raise error
        return accept()

    monkeypatch.setattr(running._server, "do_read", failing)
    dial(running)
    until(lambda: calls.seen)
    assert "Too many open files" in capfd.readouterr().err


def test_idle_server_has_no_greenlet(serve):
    serve(Calls())
    gevent.sleep(0)
    assert greenlets() == 0


def test_a_paused_listener_serves_what_was_accepted_and_opens_again(serve, dial):
    calls = Calls()
    running = serve(calls, capacity=2)
    address = running.address
    plain_socket = monkey.get_original("socket", "socket")  # connects without leaving this greenlet
    waiting = plain_socket()
    waiting.connect(address)
    running.pause_listener()
    assert not running.listening
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    queued = Peer(socket.socket(fileno=waiting.detach()))
    until(lambda: len(calls.seen) == 1)  # there was room for it
    running.resume_listener()
    running.resume_listener()
    assert (running.listening, running.address) == (True, address)
    dial(running)
    until(lambda: len(calls.seen) == 2)
    running.pause_listener()
    running.close_listener()
    running.resume_listener()
    assert not running.listening
    calls.leave.set()
    queued.wait_eof()
    queued.close()
