"""A provider's link once it is connected: talking, deadlines, endings."""

import gevent
import gevent.server
import pytest

from bridge.errors import LocalProtocolError
from bridge.providers.base import (
    ErrorKind,
    ProviderFailure,
    SessionReady,
    SpeechStarted,
)
from bridge.providers.host import Network
from bridge.wire import frames
from bridge.wire.client_handshake import open_websocket
from bridge.wire.frames import CLOSE, PING, PONG, TEXT, FrameLimits
from bridge.wire.keepalive import KeepAlive
from bridge.wire.link import LinkLimits
from tests.integration.wire.provider_peer import SECRET, Session, greeting, up
from tests.wire.ws.peers import (
    PATIENCE_S,
    tls_client_context,
    tls_server_context,
    until,
)

# --- talking ---


def test_the_session_is_configured_and_messages_flow(make):
    provider, session = up(make())
    peer = provider.peers[0]
    assert peer.receive()[0] == PING
    assert peer.receive() == (TEXT, b"session.update")
    peer.send(TEXT, b"ready")
    peer.send(TEXT, b"question")
    assert peer.receive() == (TEXT, b"answer")
    until(lambda: session.events == [SessionReady("s1")])
    session.protocol.out += [b"audio 1", b"audio 2"]
    session.link.flush()
    assert [peer.receive(), peer.receive()] == [(TEXT, b"audio 1"), (TEXT, b"audio 2")]
    assert session.link.is_open
    assert (session.link.messages_in, session.link.messages_out) == (2, 4)
    assert session.link.attempts == 1
    assert 0 < session.link.connect_s < PATIENCE_S


def test_the_request_carries_headers_and_subprotocol_but_no_origin(make):
    provider, session = make()
    until(lambda: session.link.is_open)
    request = provider.requests[0].decode()
    assert request.startswith("GET /v1/realtime?model=m HTTP/1.1\r\n")
    assert f"\r\nAuthorization: Bearer {SECRET}\r\n" in request
    assert "\r\nSec-WebSocket-Protocol: realtime\r\n" in request
    assert "Origin" not in request


def test_a_message_right_behind_the_101_comes_after_the_start(make):
    _, session = make(greeting)
    until(lambda: session.events == [SessionReady("s1")])


def test_events_of_one_read_come_in_one_call(make):
    provider, session = up(make())
    peer = provider.peers[0]
    peer.sock.sendall(b"".join(peer.frame(TEXT, b"speech") for _ in range(10)))
    until(lambda: len(session.events) == 10)
    assert session.calls == 1


def test_commands_given_inside_on_events_leave_at_once(make):
    provider, session = up(make())

    def on_events(events):
        session.protocol.out.append(b"cancel")
        session.link.flush()

    session.link._on_events = on_events
    provider.peers[0].send(TEXT, b"speech")
    received = [provider.peers[0].receive() for _ in range(3)]
    assert received[1:] == [(TEXT, b"session.update"), (TEXT, b"cancel")]


def test_over_tls(make):
    network = Network(tls=tls_client_context(), keepalive=KeepAlive())
    provider, session = make(greeting, tls=tls_server_context(), network=network)
    until(lambda: session.events == [SessionReady("s1")])
    peer = provider.peers[0]
    opcode, payload = peer.receive()
    assert opcode == PING
    peer.send(PONG, payload)
    assert peer.receive() == (TEXT, b"session.update")
    peer.send(TEXT, b"speech" * 100_000)
    until(lambda: len(session.protocol.received) == 2)
    until(lambda: session.link.round_trip_ms is not None)


def test_what_is_said_before_the_connection_waits_in_the_protocol(make):
    provider, session = make()
    session.protocol.out.append(b"early")
    session.link.flush()
    assert session.protocol.out == [b"early"]
    until(lambda: provider.peers)
    received = [provider.peers[0].receive()[1] for _ in range(3)]
    assert received[1:] == [b"early", b"session.update"]


# --- deadlines ---


def test_a_deadline_is_kept(make):
    _, session = up(make())
    session.protocol.deadline = session.link._clock() + 0.02
    session.link.flush()
    until(lambda: session.protocol.timeouts)
    until(lambda: session.events == [SpeechStarted(audio_ms=1)])


def test_a_deadline_that_moves(make):
    _, session = up(make())
    clock = session.link._clock
    session.protocol.deadline = clock() + 0.02
    session.link.flush()
    first = session.link._timer
    session.protocol.deadline = clock() + 0.06
    session.link.flush()
    assert session.link._timer is first  # later: seen when it rings
    session.protocol.deadline = earlier = clock() + 0.01
    session.link.flush()
    assert session.link._timer is not first
    until(lambda: session.protocol.timeouts)
    assert session.protocol.timeouts[0] >= earlier
    assert len(session.protocol.timeouts) == 1


def test_a_deadline_that_moved_away_is_not_kept_early(make):
    _, session = up(make())
    clock = session.link._clock
    session.protocol.deadline = clock() + 0.01
    session.link.flush()
    session.protocol.deadline = later = clock() + 0.04
    until(lambda: session.protocol.timeouts)
    assert session.protocol.timeouts[0] >= later


def test_a_deadline_dies_with_the_link(make):
    _, session = up(make())
    session.protocol.deadline = session.link._clock() + 0.02
    session.link.flush()
    session.link.close()
    gevent.sleep(0.05)
    assert session.protocol.timeouts == []


# --- endings ---


def test_the_provider_closes(make):
    provider, session = up(make())
    session.protocol.close_event = ProviderFailure(
        ErrorKind.SESSION_EXPIRED, "expired", "session ended", True, True
    )
    provider.peers[0].send(CLOSE, frames.encode_close(1001, "session expired"))
    failure = session.wait_failure()
    assert failure is session.protocol.close_event
    assert session.events == [failure]
    assert session.protocol.closes == [(1001, "session expired")]
    assert not session.link.is_open


def test_the_provider_vanishes_and_its_protocol_has_no_words(make):
    provider, session = up(make())
    provider.peers[0].reset()
    failure = session.wait_failure()
    assert (failure.kind, failure.code) == (ErrorKind.CONNECTION, "close_1006")
    assert (failure.fatal, failure.retryable) == (True, True)


def test_after_our_close_nothing_is_told(make):
    provider, session = up(make())
    peer = provider.peers[0]
    session.link.close()
    session.link.close()
    assert [peer.receive()[0] for _ in range(3)] == [PING, TEXT, CLOSE]
    peer.send(TEXT, b"speech")
    peer.send(CLOSE, b"\x03\xe8")
    peer.wait_end()
    gevent.sleep(0)
    assert (session.events, session.failures, session.protocol.closes) == ([], [], [])


def test_closing_while_connecting(make):
    seen = []

    def wait_for_the_end(provider, sock):
        provider.read_request(sock)
        seen.append("request")
        seen.append(sock.recv(1))

    _, session = make(wait_for_the_end)
    until(lambda: seen)
    session.link.close()
    until(lambda: seen == ["request", b""])
    assert session.link._connecting.dead
    assert (session.failures, session.protocol.closes) == ([], [])


def test_closing_just_before_the_connection_is_up(make, monkeypatch):
    def open_then_close(*args, **options):
        opened = open_websocket(*args, **options)
        session.link.close()
        return opened

    monkeypatch.setattr("bridge.providers.host.open_websocket", open_then_close)
    provider, session = make()
    until(lambda: session.link._connecting.dead)
    until(lambda: provider.peers)
    provider.peers[0].wait_end()
    assert session.link.link is None


def test_closing_before_the_start():
    session = Session("ws://127.0.0.1:9/")
    session.link.close()
    with pytest.raises(LocalProtocolError):
        session.link.start()


def test_starting_twice_is_our_mistake(make):
    _, session = make()
    with pytest.raises(LocalProtocolError):
        session.link.start()


@pytest.mark.parametrize("fault", ["receive", "events", "start", "timeout"])
def test_an_error_of_protocol_or_owner_ends_this_link_only(make, caplog, fault):
    provider, session = make()
    if fault == "start":
        session.protocol.start = lambda options, now: 1 / 0
    until(lambda: provider.peers)
    peer = provider.peers[0]
    if fault == "receive":
        peer.send(TEXT, b"fail")
    elif fault == "events":
        session.link._on_events = lambda events: 1 / 0
        peer.send(TEXT, b"speech")
    elif fault == "timeout":
        session.protocol.handle_timeout = lambda now: 1 / 0
        session.protocol.deadline = session.link._clock()
        session.link.flush()
    while (message := peer.receive())[0] != CLOSE:
        pass
    assert message[1][:2] == b"\x03\xf3"
    peer.sock.close()
    if fault == "events":
        session.link._on_events = session.on_events
    assert session.wait_failure().fatal
    assert "Traceback" in caplog.text


def test_a_message_over_the_limit(make):
    network = Network(
        limits=LinkLimits(FrameLimits(1000, validate_text=False)), keepalive=KeepAlive()
    )
    provider, session = make(network=network)
    until(lambda: provider.peers)
    provider.peers[0].send(TEXT, b"x" * 1001)
    assert session.wait_failure().code == "close_1009"
