"""A provider's link against a server that behaves, refuses, or goes wrong."""

import base64
import hashlib
import logging
import socket
import ssl
from collections import deque

import gevent
import gevent.server
import pytest
from websocket import _handshake

from bridge.audio.formats import L16_16K
from bridge.errors import LocalProtocolError
from bridge.providers.base import (
    ConversationOptions,
    Endpoint,
    ErrorKind,
    ProviderFailure,
    SessionReady,
    SpeechStarted,
)
from bridge.providers.link import Network, ProviderLink
from bridge.wire import client_handshake, frames
from bridge.wire.client_handshake import ConnectError, Proxy, open_websocket, shared_tls_context
from bridge.wire.frames import CLOSE, PING, PONG, TEXT, FrameLimits, Role
from bridge.wire.keepalive import KeepAlive
from bridge.wire.link import LinkLimits
from tests.wire.ws.peers import (
    PATIENCE_S,
    Peer,
    nothing_left_behind,
    tls_client_context,
    tls_server_context,
    until,
)

clean = pytest.fixture(autouse=True)(nothing_left_behind)

OPTIONS = ConversationOptions(L16_16K, L16_16K)
SECRET = "sk-s3cret"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


class Protocol:
    """A provider that understands a few words."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.events: deque = deque()
        self.out: list[bytes] = []
        self.started_at: float | None = None
        self.received: list[bytes] = []
        self.closes: list[tuple[int, str]] = []
        self.deadline: float | None = None
        self.timeouts: list[float] = []
        self.close_event: ProviderFailure | None = None

    def endpoint(self):
        return Endpoint(self.url, (("Authorization", f"Bearer {SECRET}"),), ("realtime",))

    def start(self, options, now):
        assert not self.received
        self.started_at = now
        self.out.append(b"session.update")

    def receive_message(self, data, now):
        assert self.started_at is not None
        self.received.append(data)
        if data == b"ready":
            self.events.append(SessionReady("s1"))
        elif data == b"speech":
            self.events.append(SpeechStarted())
        elif data == b"question":
            self.out.append(b"answer")
        elif data == b"fail":
            raise RuntimeError("protocol failed")

    def receive_close(self, code, reason):
        self.closes.append((code, reason))
        if self.close_event is not None:
            self.events.append(self.close_event)

    def next_event(self):
        return self.events.popleft() if self.events else None

    def messages_to_send(self):
        out, self.out = self.out, []
        return out

    def next_deadline(self):
        return self.deadline

    def handle_timeout(self, now):
        self.timeouts.append(now)
        self.deadline = None
        self.events.append(SpeechStarted(audio_ms=1))


class Provider:
    """A server that answers each connection by the next of its `answers`, then by the last."""

    def __init__(self, *answers, tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers) or [accept]
        self.requests: list[bytes] = []
        self.peers: list[Peer] = []
        self._socks: list[socket.socket] = []
        self._tls = tls
        listener = gevent.socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        self._server = gevent.server.StreamServer(listener, self._serve)
        self._server.start()
        scheme, host = ("wss", "localhost") if tls else ("ws", "127.0.0.1")
        self.url = f"{scheme}://{host}:{self._server.address[1]}/v1/realtime?model=m"

    def _serve(self, sock, _address):
        dup = sock.dup()
        dup.settimeout(PATIENCE_S)
        self._socks.append(dup)
        if self._tls:
            try:
                dup = self._tls.wrap_socket(dup, server_side=True)
            except OSError:
                return
            self._socks.append(dup)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        answer(self, dup)

    def read_request(self, sock) -> bytes:
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            data = sock.recv(4096)
            if not data:
                break
            request += data
        self.requests.append(request)
        return request

    def close(self):
        self._server.stop(1)
        for sock in self._socks:
            sock.close()


def switching_protocols(request: bytes) -> bytes:
    key = next(x for x in request.split(b"\r\n") if x.startswith(b"Sec-WebSocket-Key: "))[19:]
    accept_key = base64.b64encode(
        hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    )
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Protocol: realtime\r\nSet-Cookie: id=tenant-a; Domain=127.0.0.1\r\n"
        b"Sec-WebSocket-Accept: " + accept_key + b"\r\n\r\n"
    )


def accept(provider, sock, behind=b""):
    request = provider.read_request(sock)
    sock.sendall(switching_protocols(request) + behind)
    provider.peers.append(Peer(sock, Role.SERVER))


def greeting(provider, sock):
    """Sends its first message in the same segment as the 101, as servers do."""
    accept(provider, sock, frames.server_frame(TEXT, b"ready"))


def refuse(status, body=b"", **headers):
    def answer(provider, sock):
        provider.read_request(sock)
        lines = [f"HTTP/1.1 {status} Refused", f"Content-Length: {len(body)}"]
        lines += [f"{k}: {v}" for k, v in headers.items()]
        sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        sock.close()

    return answer


def raw(data):
    def answer(provider, sock):
        provider.read_request(sock)
        sock.sendall(data)
        sock.close()

    return answer


def drop(provider, sock):
    Peer(sock).reset()


def silent(provider, sock):
    gevent.sleep(0)


class Session:
    """The owner of a provider link."""

    def __init__(self, url, **options):
        self.events: list = []
        self.calls = 0
        self.failures: list[ProviderFailure] = []
        self.protocol = Protocol(url)
        options.setdefault("network", Network(first_backoff_s=0.001, keepalive=KeepAlive()))
        options.setdefault("connect_timeout_s", PATIENCE_S)
        self.link = ProviderLink(
            self.protocol, OPTIONS, on_events=self.on_events, on_closed=self.on_closed, **options
        )

    def on_events(self, events):
        assert gevent.getcurrent() is gevent.get_hub()
        assert not self.failures
        self.calls += 1
        self.events += events

    def on_closed(self, failure):
        assert gevent.getcurrent() is gevent.get_hub()
        self.failures.append(failure)

    def start(self):
        self.link.start()
        return self

    def wait_failure(self):
        until(lambda: self.failures, "failure")
        gevent.sleep(0)
        assert len(self.failures) == 1
        return self.failures[0]


@pytest.fixture
def make():
    """Providers and sessions that are cleared away."""
    made = []

    def build(*answers, tls=None, **options):
        provider = Provider(*answers, tls=tls)
        session = Session(provider.url, **options).start()
        made.extend([session.link, provider])
        return provider, session

    yield build
    for thing in made:
        thing.close()
    for thing in made:
        if isinstance(thing, ProviderLink) and thing.link is not None:
            thing.link.abort()
    gevent.sleep(0.001)


def up(pair):
    """Wait until the session is configured."""
    provider, session = pair
    until(lambda: provider.peers and session.protocol.started_at is not None)
    return provider, session


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

    monkeypatch.setattr("bridge.providers.link.open_websocket", open_then_close)
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


# --- connecting that fails ---


@pytest.mark.parametrize(
    ("answer", "kind", "code", "retryable"),
    [
        (refuse(401), ErrorKind.AUTHENTICATION, "http_401", False),
        (refuse(403), ErrorKind.AUTHENTICATION, "http_403", False),
        (
            refuse(401, b'{"error":{"code":"invalid_api_key","message":"sk-s3cret"}}'),
            ErrorKind.AUTHENTICATION,
            "invalid_api_key",
            False,
        ),
        (refuse(429), ErrorKind.RATE_LIMIT, "http_429", True),
        (
            refuse(429, b'{"error":{"type":"insufficient_quota","code":null}}'),
            ErrorKind.QUOTA,
            "insufficient_quota",
            False,
        ),
        (refuse(402), ErrorKind.QUOTA, "http_402", False),
        (refuse(404), ErrorKind.INVALID_REQUEST, "http_404", False),
        (
            refuse(400, b'{"error":{"code":"bad code!"}}'),
            ErrorKind.INVALID_REQUEST,
            "http_400",
            False,
        ),
        (refuse(400, b"\xff<html>"), ErrorKind.INVALID_REQUEST, "http_400", False),
        (refuse(200), ErrorKind.INVALID_REQUEST, "http_200", False),
        (refuse(500), ErrorKind.SERVER, "http_500", True),
        (refuse(503), ErrorKind.SERVER, "http_503", True),
        (refuse(302, Location="ws://127.0.0.1:9/"), ErrorKind.INVALID_REQUEST, "http_302", False),
        (raw(b"garbage\r\n\r\n"), ErrorKind.PROTOCOL, "protocol", False),
        (raw(b"HTTP/1.1 101 S\r\n\r\n"), ErrorKind.PROTOCOL, "protocol", False),
        (raw(b"\xff\xff\r\n\r\n"), ErrorKind.PROTOCOL, "protocol", False),
        (raw(b""), ErrorKind.CONNECTION, "tcp", True),
        (drop, ErrorKind.CONNECTION, "tcp", True),
    ],
)
def test_refusals(make, caplog, answer, kind, code, retryable):
    with caplog.at_level(logging.DEBUG):
        _, session = make(answer)
        failure = session.wait_failure()
    assert (failure.kind, failure.code, failure.retryable) == (kind, code, retryable)
    assert failure.fatal
    assert session.link.attempts == (2 if retryable else 1)
    assert session.protocol.started_at is None
    assert SECRET not in repr(failure) + caplog.text


def test_the_key_does_not_follow_a_redirect(make):
    provider = Provider(lambda provider, sock: refuse(307, Location=provider.url)(provider, sock))
    session = Session(provider.url).start()
    assert session.wait_failure().code == "http_307"
    assert len(provider.requests) == 1
    provider.close()


def test_a_second_attempt_succeeds(make):
    _, session = make(refuse(503), greeting)
    until(lambda: session.events == [SessionReady("s1")])
    assert session.link.attempts == 2


def test_an_answer_without_end_is_not_collected(make):
    def endless(provider, sock):
        provider.read_request(sock)
        sock.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 99999999999\r\n\r\n")
        try:
            while True:
                sock.sendall(b"x" * 65536)
        except OSError:
            sock.close()

    _, session = make(endless)
    assert session.wait_failure().code == "tcp"


def test_a_server_that_never_answers(make):
    _, session = make(silent, connect_timeout_s=0.05)
    failure = session.wait_failure()
    assert (failure.kind, failure.code) == (ErrorKind.CONNECTION, "timeout")
    assert failure.retryable


def test_a_server_that_drips_its_answer(make):
    def drip(provider, sock):
        provider.read_request(sock)
        try:
            while True:
                sock.sendall(b"H")
                gevent.sleep(0.005)
        except OSError:
            sock.close()

    _, session = make(drip, connect_timeout_s=0.1)
    assert session.wait_failure().code == "timeout"


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    session = Session(f"ws://127.0.0.1:{port}/").start()
    failure = session.wait_failure()
    assert failure.message == "no connection to 127.0.0.1: ECONNREFUSED"


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://127.0.0.1/", "request"), ("nonsense", "request"), ("ws://", "request")],
)
def test_urls_that_cannot_be_used(url, code):
    failure = Session(url).start().wait_failure()
    assert (failure.code, failure.kind) == (code, ErrorKind.INVALID_REQUEST)
    assert not failure.retryable


def test_a_certificate_nobody_signed(make):
    network = Network(keepalive=KeepAlive())  # the system's certificates
    _, session = make(tls=tls_server_context(), network=network)
    failure = session.wait_failure()
    assert (failure.code, failure.retryable) == ("certificate", False)
    assert "self-signed certificate" in failure.message


def test_a_port_that_speaks_no_tls():
    provider = Provider(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    provider.read_request = lambda sock: sock.recv(100)
    url = provider.url.replace("ws://127.0.0.1", "wss://localhost")
    session = Session(
        url, network=Network(tls=tls_client_context(), max_attempts=1), connect_timeout_s=1
    )
    assert session.start().wait_failure().code in ("tls", "tcp")
    provider.close()


# --- the border to websocket-client ---


def test_a_header_cannot_be_forged(make):
    provider, _ = make()
    with pytest.raises(ConnectError) as raised:
        open_websocket(provider.url, [("Authorization", f"{SECRET}\r\nX: y")], timeout_s=1)
    assert raised.value.stage == "request"
    assert SECRET not in str(raised.value)


def test_cookies_do_not_join_tenants(make):
    provider, first = make()
    until(lambda: first.link.is_open)
    assert _handshake.CookieJar.jar == {}
    second = Session(provider.url).start()
    until(lambda: second.link.is_open)
    assert b"Cookie" not in provider.requests[1]
    second.link.link.abort()
    until(lambda: second.failures)


def test_through_a_proxy():
    seen = []

    def proxy(provider, sock):
        seen.append(provider.read_request(sock))
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        accept(provider, sock)

    server = Provider(proxy)
    port = server._server.address[1]
    opened = open_websocket(
        "ws://provider.example/v1",
        [("X", "y")],
        ["realtime"],
        timeout_s=PATIENCE_S,
        proxy=Proxy("127.0.0.1", port, "user", "pass"),
    )
    assert seen[0].startswith(b"CONNECT provider.example:80 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNz\r\n" in seen[0]
    assert b"X: y" not in seen[0]
    opened.sock.close()
    server.close()


def test_a_proxy_that_refuses():
    server = Provider(refuse(407))
    proxy = Proxy("127.0.0.1", server._server.address[1], "user", "s3cret")
    with pytest.raises(ConnectError) as raised:
        open_websocket("ws://provider.example/v1", timeout_s=PATIENCE_S, proxy=proxy)
    assert raised.value.stage == "proxy"
    assert "s3cret" not in repr(proxy) + str(raised.value)
    server.close()


def test_there_is_one_tls_context():
    assert shared_tls_context() is shared_tls_context()
    assert shared_tls_context().verify_mode == ssl.CERT_REQUIRED
    assert shared_tls_context().check_hostname


def test_a_name_nobody_knows(monkeypatch):
    def fail(*args):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(client_handshake.websocket._http.socket, "getaddrinfo", fail)
    with pytest.raises(ConnectError) as raised:
        open_websocket("ws://nowhere.invalid/?key=s3cret", timeout_s=1)
    assert (raised.value.stage, str(raised.value)) == ("dns", "nowhere.invalid has no address")
