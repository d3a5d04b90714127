"""A provider's host over one WebSocket: talking, deadlines, endings."""

import gevent
import pytest

from bridge.errors import LocalProtocolError
from bridge.providers.actions import Close, Endpoint, Open, Send
from bridge.providers.base import CallerStarted, ErrorKind, ProviderFailure, Usage
from bridge.providers.channels import MAX_KEPT_MESSAGES
from bridge.providers.host import Network
from bridge.wire import frames
from bridge.wire.channel import ChannelEnd, Ender
from bridge.wire.client_handshake import open_websocket
from bridge.wire.frames import CLOSE, PING, PONG, TEXT, FrameLimits
from bridge.wire.keepalive import KeepAlive
from bridge.wire.link import LinkLimits
from tests.integration.wire.provider_peer import (
    MAIN,
    READY,
    SECRET,
    Session,
    greeting,
    up,
)
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
    until(lambda: session.events == [READY])
    session.protocol.say(b"audio 1")
    session.protocol.say(b"audio 2")
    session.host.flush_audio()
    assert [peer.receive(), peer.receive()] == [(TEXT, b"audio 1"), (TEXT, b"audio 2")]
    assert session.host.messages_in == 2
    assert 0 < session.host.connect_s < PATIENCE_S


def test_the_request_carries_headers_and_subprotocol_but_no_origin(make):
    provider, session = make()
    until(lambda: session.protocol.opened_at)
    request = provider.requests[0].decode()
    assert request.startswith("GET /v1/realtime?model=m HTTP/1.1\r\n")
    assert f"\r\nAuthorization: Bearer {SECRET}\r\n" in request
    assert "\r\nSec-WebSocket-Protocol: realtime\r\n" in request
    assert "Origin" not in request


def test_a_message_right_behind_the_101_comes_after_the_start(make):
    _, session = make(greeting)
    until(lambda: session.events == [READY])


def test_events_of_one_read_come_in_one_call(make):
    provider, session = up(make())
    peer = provider.peers[0]
    peer.sock.sendall(b"".join(peer.frame(TEXT, b"speech") for _ in range(10)))
    until(lambda: len(session.events) == 10)
    assert session.calls == 1


def test_commands_given_inside_on_events_leave_at_once(make):
    provider, session = up(make())

    def on_events(events):
        session.protocol.say(b"cancel")
        session.host.flush()

    session.host._on_events = on_events
    provider.peers[0].send(TEXT, b"speech")
    received = [provider.peers[0].receive() for _ in range(3)]
    assert received[1:] == [(TEXT, b"session.update"), (TEXT, b"cancel")]


def test_events_that_commands_make_are_told_later_and_once(make):
    _provider, session = up(make())
    session.protocol.events.append(READY)
    session.host.flush()
    session.protocol.events.append(CallerStarted())
    session.host.flush()
    assert session.events == []
    until(lambda: session.events == [READY, CallerStarted()])
    assert session.calls == 1


def test_over_tls(make):
    network = Network(tls=tls_client_context(), keepalive=KeepAlive())
    provider, session = make(greeting, tls=tls_server_context(), network=network)
    until(lambda: session.events == [READY])
    peer = provider.peers[0]
    opcode, payload = peer.receive()
    assert opcode == PING
    peer.send(PONG, payload)
    assert peer.receive() == (TEXT, b"session.update")
    peer.send(TEXT, b"speech" * 100_000)
    until(lambda: len(session.protocol.received) == 2)
    until(lambda: session.host.round_trip_ms is not None)


def test_what_is_said_before_the_connection_is_kept(make):
    provider, session = make()
    session.protocol.say(b"early")
    session.host.flush()
    assert session.protocol.out == []
    until(lambda: provider.peers)
    received = [provider.peers[0].receive()[1] for _ in range(3)]
    assert received[1:] == [b"early", b"session.update"]


def test_what_is_kept_for_a_connection_is_limited(make):
    provider, session = make()
    session.protocol.say(b"x" * ((1 << 20) + 1))
    for number in range(MAX_KEPT_MESSAGES + 3):
        session.protocol.say(b"%d" % number)
    session.host.flush()
    assert session.host.dropped == 4
    session.protocol.out.append(Send("nobody", b"x"))
    session.host.flush()
    assert session.host.dropped == 5
    until(lambda: session.protocol.opened_at)
    received = [provider.peers[0].receive()[1] for _ in range(MAX_KEPT_MESSAGES + 2)]
    assert received[1:] == [
        *(b"%d" % number for number in range(MAX_KEPT_MESSAGES)),
        b"session.update",
    ]


# --- channels ---


def test_a_channel_that_is_opened_again_is_another(make):
    provider, session = up(make())
    session.protocol.opened_at = None
    session.protocol.out.append(Open(MAIN, Endpoint(provider.url)))
    session.host.flush()
    until(lambda: len(provider.peers) == 2 and session.protocol.opened_at)
    provider.peers[0].send(TEXT, b"speech")
    provider.peers[1].send(TEXT, b"ready")
    until(lambda: session.events == [READY])
    assert session.protocol.ends == []


def test_a_channel_the_protocol_closes_is_told_nothing_of(make):
    provider, session = up(make())
    provider.peers[0].send(TEXT, b"speech")
    session.protocol.out.append(Close(MAIN))
    session.host.flush()
    messages = [provider.peers[0].receive() for _ in range(3)]
    assert messages[-1][0] == CLOSE
    gevent.sleep(0.01)
    assert (session.protocol.ends, session.protocol.received) == ([], [])
    assert session.failures == []


# --- deadlines ---


def test_a_deadline_is_kept(make):
    _, session = up(make())
    session.protocol.deadline = session.host._clock() + 0.02
    session.host.flush()
    until(lambda: session.protocol.timeouts)
    until(lambda: session.events == [CallerStarted("late")])


def test_a_deadline_that_moves(make):
    _, session = up(make())
    clock = session.host._clock
    session.protocol.deadline = clock() + 0.02
    session.host.flush()
    first = session.host._alarm._timer
    session.protocol.deadline = clock() + 0.06
    session.host.flush()
    assert session.host._alarm._timer is first  # later: seen when it rings
    session.protocol.deadline = earlier = clock() + 0.01
    session.host.flush()
    assert session.host._alarm._timer is not first
    until(lambda: session.protocol.timeouts)
    assert session.protocol.timeouts[0] >= earlier
    assert len(session.protocol.timeouts) == 1


def test_a_deadline_that_moved_away_is_not_kept_early(make):
    _, session = up(make())
    clock = session.host._clock
    session.protocol.deadline = clock() + 0.01
    session.host.flush()
    session.protocol.deadline = later = clock() + 0.04
    until(lambda: session.protocol.timeouts)
    assert session.protocol.timeouts[0] >= later


def test_a_deadline_dies_with_the_host(make):
    _, session = up(make())
    session.protocol.deadline = session.host._clock() + 0.02
    session.host.flush()
    session.host.close()
    gevent.sleep(0.05)
    assert session.protocol.timeouts == []


# --- endings ---


def test_the_provider_closes(make):
    provider, session = up(make())
    expired = ProviderFailure(ErrorKind.SESSION_EXPIRED, "expired", "session ended", True, True)
    session.protocol.end_event = lambda end: expired
    provider.peers[0].send(CLOSE, frames.encode_close(1001, "session expired"))
    assert session.wait_failure() == expired
    assert session.protocol.ends == [ChannelEnd(Ender.PEER, code=1001, reason="session expired")]
    assert session.host.is_over


def test_a_key_in_a_close_reason_is_not_passed_on(make, caplog):
    provider, session = up(make())
    provider.peers[0].send(CLOSE, frames.encode_close(3000, f"wrong key {SECRET}"))
    assert SECRET not in session.wait_failure().message
    assert SECRET not in caplog.text


def test_the_provider_vanishes_and_its_protocol_has_no_words(make):
    provider, session = up(make())
    session.protocol.end_event = None
    provider.peers[0].reset()
    failure = session.wait_failure()
    assert (failure.kind, failure.code) == (ErrorKind.CONNECTION, "close_1006")
    assert (failure.fatal, failure.retryable) == (True, True)
    assert session.protocol.ends[0].by is Ender.NETWORK


def test_after_our_close_nothing_is_told(make):
    provider, session = up(make())
    peer = provider.peers[0]
    session.host.close()
    session.host.close()
    assert [peer.receive()[0] for _ in range(3)] == [PING, TEXT, CLOSE]
    peer.send(TEXT, b"speech")
    peer.send(CLOSE, b"\x03\xe8")
    peer.wait_end()
    gevent.sleep(0)
    assert (session.events, session.protocol.ends) == ([], [])


def test_leaving_sends_the_last_messages_and_tells_the_last_events(make):
    provider, session = up(make())
    session.host.stop()
    assert session.events == [Usage("test", audio_seconds=7.0)]
    session.host.stop()
    peer = provider.peers[0]
    received = [peer.receive() for _ in range(4)]
    assert received[1:3] == [(TEXT, b"session.update"), (TEXT, b"bye")]
    assert received[3][0] == CLOSE
    gevent.sleep(0.01)
    assert session.calls == 1


def test_leaving_inside_on_events(make):
    provider, session = up(make())
    seen = []

    def on_events(events):
        seen.append(events)
        if len(seen) == 1:
            session.host.stop()

    session.host._on_events = on_events
    provider.peers[0].send(TEXT, b"speech")
    until(lambda: len(seen) == 2)
    assert seen == [[CallerStarted()], [Usage("test", audio_seconds=7.0)]]


def test_closing_while_connecting(make):
    seen = []

    def wait_for_the_end(provider, sock):
        provider.read_request(sock)
        seen.append("request")
        seen.append(sock.recv(1))

    _, session = make(wait_for_the_end)
    until(lambda: seen)
    connecting = session.host._slots[MAIN].channel._connecting
    session.host.close()
    until(lambda: seen == ["request", b""])
    assert connecting.dead
    assert (session.failures, session.protocol.ends) == ([], [])


def test_closing_just_before_the_connection_is_up(make, monkeypatch):
    def open_then_close(*args, **options):
        opened = open_websocket(*args, **options)
        session.host.close()
        return opened

    monkeypatch.setattr("bridge.wire.websocket_channel.open_websocket", open_then_close)
    provider, session = make()
    channel = session.host._slots[MAIN].channel
    until(lambda: channel._connecting.dead)
    until(lambda: provider.peers)
    provider.peers[0].wait_end()
    assert channel.link is None


def test_closing_before_the_start():
    session = Session("ws://127.0.0.1:9/")
    session.host.close()
    with pytest.raises(LocalProtocolError):
        session.host.start()


def test_starting_twice_is_our_mistake(make):
    _, session = make()
    with pytest.raises(LocalProtocolError):
        session.host.start()


def test_a_message_over_the_limit(make):
    network = Network(
        limits=LinkLimits(FrameLimits(1000, validate_text=False)), keepalive=KeepAlive()
    )
    provider, session = make(network=network)
    until(lambda: provider.peers)
    provider.peers[0].send(TEXT, b"x" * 1001)
    assert session.wait_failure().code == "close_1009"
    assert session.protocol.ends[0].by is Ender.PEER


def test_a_peer_that_does_not_read_is_our_limit(make):
    network = Network(limits=LinkLimits(FrameLimits(1000), 100_000), keepalive=KeepAlive())
    _provider, session = up(make(network=network))
    for _ in range(1000):
        session.protocol.say(b"x" * 16384)
        session.host.flush_audio()
    failure = session.wait_failure()
    assert (failure.kind, failure.retryable) == (ErrorKind.OURS, True)
    assert session.protocol.ends[0].by is Ender.US
