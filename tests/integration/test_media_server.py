"""The media port: handshakes as FreeSWITCH makes them, plain HTTP beside them, and abuse."""

import base64
import hashlib
import logging
import socket

import gevent
import gevent.event
import gevent.socket
import pytest
import requests
import websocket

from bridge.routes import Refusal, StreamRequest
from bridge.server import MediaServer, ServerLimits
from bridge.wire import frames
from bridge.wire.frames import BINARY, CLOSE, PING, PONG, TEXT
from bridge.wire.keepalive import KeepAlive
from bridge.wire.request_file import HeadTooLarge, RequestFile
from tests.wire.ws.peers import (
    HANDSHAKE,
    PATIENCE_S,
    Owner,
    Peer,
    left_behind,
    nothing_left_behind,
    until,
)

clean = pytest.fixture(autouse=True)(nothing_left_behind)

DOMAIN = "c60e8d63-f2fa-4e65-92bd-657b2f9acacf"
CALL = "0d1a2b3c-0000-4000-8000-0123456789ab"
PATH = f"/stream/{DOMAIN}/{CALL}"
ACCEPT = base64.b64encode(
    hashlib.sha1(b"mWOq640xJ16Pmq4TWD7L/A==258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
)


class Gate:
    """Admits one token and joins with an `Owner`."""

    def __init__(self) -> None:
        self.checked: list[StreamRequest] = []
        self.joined: list[StreamRequest] = []
        self.owner = Owner()
        self.links = []
        self.at_join = None

    def check(self, request):
        self.checked.append(request)
        return None if request.token == "k-123" else Refusal(403, "wrong token")

    def join(self, request, open_link):
        self.joined.append(request)
        if self.at_join is None:
            self.links.append(open_link(self.owner.on_messages, self.owner.on_closed))
        else:
            self.at_join(open_link)


def http_app(environ, start_response):
    if environ["PATH_INFO"] == "/fail":
        raise RuntimeError("application failed")
    body = environ["wsgi.input"].read() or environ["PATH_INFO"].encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


class Site:
    """A running server, its gate, and the connections made to it."""

    def __init__(self, **options) -> None:
        self.gate = Gate()
        self.app = http_app
        self.server = MediaServer(
            ("127.0.0.1", 0),
            self.gate,
            lambda environ, start_response: self.app(environ, start_response),
            **options,
        )
        self.server.start()
        self._socks: list[socket.socket] = []

    def connect(self) -> socket.socket:
        sock = socket.create_connection(self.server.address)
        sock.settimeout(PATIENCE_S)
        self._socks.append(sock)
        return sock

    def ask(self, request: bytes) -> bytes:
        """Everything that is answered until the server closes."""
        sock = self.connect()
        sock.sendall(request)
        answer = b""
        while data := sock.recv(65536):
            answer += data
        return answer

    def stream(self, after: bytes = b"") -> Peer:
        """Make FreeSWITCH's handshake."""
        sock = self.connect()
        sock.sendall(handshake() + after)
        read_answer(sock)
        until(lambda: self.gate.joined)
        return Peer(sock)

    def close(self) -> None:
        self.server.stop(1)
        for link in self.gate.links:
            link.abort()
        for sock in self._socks:
            sock.close()
        gevent.sleep(0.001)


def handshake(path: str = PATH, token: str = "k-123", **changes: str) -> bytes:
    """The captured request for another call, with headers changed or, when empty, left out."""
    lines = HANDSHAKE.decode().split("\r\n")
    lines[0] = f"GET {path} HTTP/1.1"
    changes = {"X-Api-Key": "", "X-Stream-Token": token, **changes}
    names = [name.replace("_", "-") for name in changes]
    kept = [line for line in lines[:-2] if line.partition(":")[0] not in names]
    added = [f"{n}:{v}" for n, v in zip(names, changes.values(), strict=True) if v]
    return "\r\n".join([*kept, *added, "", ""]).encode()


def read_answer(sock) -> bytes:
    """The head of the answer and nothing behind it."""
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        data = sock.recv(1)
        assert data, answer
        answer += data
    return answer


@pytest.fixture
def make_site():
    sites = []

    def make(**options):
        sites.append(Site(**options))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site):
    return make_site()


# --- handshakes ---


def test_freeswitchs_handshake(site):
    sock = site.connect()
    sock.sendall(handshake())
    answer = read_answer(sock)
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"\r\nSec-WebSocket-Accept: " + ACCEPT + b"\r\n" in answer
    assert b"Extensions" not in answer
    assert site.gate.joined == [StreamRequest(DOMAIN, CALL, "k-123", "127.0.0.1")]
    assert site.server.counters.upgraded == 1


def test_the_captured_handshake_itself_names_no_domain_uuid(site):
    assert site.ask(HANDSHAKE).startswith(b"HTTP/1.1 404 ")
    assert site.gate.checked == []


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_handshake_in_pieces(site, size):
    sock = site.connect()
    wire = handshake()
    for start in range(0, len(wire), size):
        sock.sendall(wire[start : start + size])
        gevent.sleep(0)
    assert b" 101 " in read_answer(sock)


def test_audio_right_behind_the_handshake_is_the_first_message(site):
    sock = site.connect()
    peer = Peer(sock)
    audio = peer.frame(BINARY, b"\x01" * 640)
    sock.sendall(handshake() + audio + audio[:9])
    read_answer(sock)
    peer.sock.sendall(audio[9:])
    assert site.gate.owner.wait_messages(2) == [(BINARY, b"\x01" * 640)] * 2


def test_messages_both_ways_and_the_closing(site):
    peer = site.stream()
    owner, link = site.gate.owner, site.gate.links[0]
    peer.send(TEXT, b'{"caller":"5551000"}')
    assert owner.wait_messages(1) == [(TEXT, b'{"caller":"5551000"}')]
    assert link.send_binary(b"\x02" * 640)
    assert peer.receive() == (BINARY, b"\x02" * 640)
    peer.send(PING, b"ping")  # STREAM_HEART_BEAT
    assert peer.receive() == (PONG, b"ping")
    peer.send(CLOSE, frames.encode_close(1000, "Normal closure"))
    assert peer.receive() == (CLOSE, b"\x03\xe8")
    peer.wait_end()
    assert owner.wait_closed().reason == "Normal closure"


def test_a_stream_holds_no_greenlet_and_one_descriptor(site):
    for _ in range(3):  # whatever the first ones warm up
        site.stream()
    greenlets, descriptors = left_behind()
    for _ in range(10):
        site.stream()
    until(lambda: left_behind() == (greenlets, descriptors + 2 * 10))
    assert site.server.pending == 0


def test_small_frames_are_not_held_back(site):
    site.stream()
    channel = site.gate.links[0]._transport._channel
    assert channel.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_another_client_library(site):
    host, port = site.server.address
    client = websocket.create_connection(
        f"ws://{host}:{port}{PATH}?token=k-123", timeout=PATIENCE_S, http_no_proxy=["*"]
    )
    client.send_binary(b"abc")
    assert site.gate.owner.wait_messages(1) == [(BINARY, b"abc")]
    site.gate.links[0].send_text("héllo".encode())
    assert client.recv() == "héllo"
    client.close()
    assert site.gate.owner.wait_closed().clean


def test_deflate_and_subprotocols_are_never_chosen(site):
    sock = site.connect()
    sock.sendall(
        handshake(
            Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits",
            Sec_WebSocket_Protocol="audio.drachtio.org",
        )
    )
    answer = read_answer(sock)
    assert b" 101 " in answer
    assert b"Sec-WebSocket-Extensions" not in answer
    assert b"Sec-WebSocket-Protocol" not in answer


# --- refusals ---


@pytest.mark.parametrize(
    ("request_bytes", "status", "asked"),
    [
        (handshake(token="wrong"), 403, True),
        (handshake(token=""), 403, True),
        (handshake(token="a b"), 400, False),
        (handshake(path="/stream"), 404, False),
        (handshake(path=f"/stream/{DOMAIN}/x"), 404, False),
        (handshake(path=PATH + "?token=" + "a" * 1100), 414, False),
        (handshake(Sec_WebSocket_Version="8"), 426, False),
        (handshake(Sec_WebSocket_Version=""), 426, False),
        (handshake(Sec_WebSocket_Key="%%%"), 400, False),
        (handshake(Sec_WebSocket_Key=""), 400, False),
        (handshake(Upgrade=""), 426, False),
        (handshake(Connection="close"), 426, False),
        (handshake(Content_Length="5"), 400, False),
        (handshake().replace(b"GET", b"POST"), 405, False),
        (handshake().replace(b"HTTP/1.1", b"HTTP/1.0"), 400, False),
    ],
)
def test_what_is_refused_before_the_upgrade(site, request_bytes, status, asked):
    answer = site.ask(request_bytes)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nContent-Length: " in answer
    assert (b"\r\nSec-WebSocket-Version: 13\r\n" in answer) == (status == 426)
    assert bool(site.gate.checked) == asked
    assert site.gate.joined == []
    assert site.server.counters.refused == 1


def test_the_gates_refusal_is_passed_on(site):
    site.gate.check = lambda request: Refusal(409, "already joined")
    answer = site.ask(handshake())
    assert answer.startswith(b"HTTP/1.1 409 Conflict\r\n")
    assert answer.endswith(b"\r\n\r\nalready joined\n")


def test_a_gate_that_fails_to_check(site, caplog):
    site.gate.check = lambda request: 1 / 0
    assert site.ask(handshake()).startswith(b"HTTP/1.1 500 ")
    assert "ZeroDivisionError" in caplog.text
    assert "k-123" not in caplog.text


def test_a_gate_that_fails_to_join(site, caplog):
    site.gate.at_join = lambda open_link: 1 / 0
    answer = site.ask(handshake())
    assert b" 101 " in answer
    assert answer.endswith(b"\r\n\r\n")
    assert "joining a stream failed" in caplog.text


def test_a_gate_that_fails_after_opening_the_link(site):
    def join(open_link):
        open_link(site.gate.owner.on_messages, site.gate.owner.on_closed)
        raise RuntimeError

    site.gate.at_join = join
    peer = site.stream()
    assert peer.receive() == (CLOSE, frames.encode_close(1011, "internal error"))
    peer.sock.close()
    site.gate.owner.wait_closed()


def test_a_gate_that_does_not_join(site):
    site.gate.at_join = lambda open_link: None
    assert b" 101 " in site.ask(handshake())


def test_a_peer_that_left_during_the_handshake_is_reported_to_who_joined(site):
    def check(request):
        Peer(sock).reset()  # before the 101
        gevent.sleep(0.01)

    site.gate.check = check
    sock = site.connect()
    sock.sendall(handshake())
    assert site.gate.owner.wait_closed().code == frames.ABNORMAL


def test_the_token_is_never_logged(site, caplog):
    with caplog.at_level(logging.DEBUG):
        site.stream()
        site.ask(handshake(path=PATH + "?token=k-123x", token=""))
        site.ask(handshake(token="k-123y", Upgrade=""))
        site.app = lambda environ, start_response: 1 / 0
        site.ask(
            b"GET /x?token=k-123 HTTP/1.1\r\nX-Stream-Token: k-123\r\nConnection: close\r\n\r\n"
        )
    assert "k-123" not in caplog.text


# --- plain HTTP ---


def test_everything_else_is_the_applications(site):
    host, port = site.server.address
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(2):  # over one connection
            assert session.get(f"http://{host}:{port}/health").text == "/health"
        assert session.post(f"http://{host}:{port}/x", data=b"body" * 5000).text == "body" * 5000
    assert site.server.counters.accepted == 1
    assert site.server.requests == 0


def test_an_application_that_fails(site, caplog):
    answer = site.ask(
        b"GET /fail HTTP/1.1\r\nAuthorization: Bearer s3cret\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert "application failed" in caplog.text
    assert "s3cret" not in caplog.text
    assert site.server.requests == 0


def test_too_many_requests_in_work(make_site):
    site = make_site(limits=ServerLimits(max_requests=1))
    release = gevent.event.Event()

    def slow(environ, start_response):
        release.wait(PATIENCE_S)
        return http_app(environ, start_response)

    site.app = slow
    first = site.connect()
    first.sendall(b"GET /one HTTP/1.1\r\n\r\n")
    until(lambda: site.server.requests == 1)
    assert site.ask(b"GET /two HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503 ")
    site.stream()
    release.set()
    assert b" 200 OK" in read_answer(first)
    assert site.server.counters.overloaded == 1


# --- abuse ---


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"\x00" * 100 + b"\r\n\r\n", 400),
        (b"\xff\xfe\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/9.x\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 400),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 17000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + (b"A: " + b"b" * 900 + b"\r\n") * 20 + b"\r\n", 431),
    ],
)
def test_what_is_no_request(site, wire, status):
    assert site.ask(wire).startswith(b"HTTP/1.1 %d " % status)
    assert site.server.pending == 0


def test_a_line_without_end_is_not_collected(site):
    sock = site.connect()
    with pytest.raises(OSError):
        while True:
            sock.sendall(b"a" * 1000)
            gevent.sleep(0)


def test_what_is_held_of_a_request_is_limited():
    reading, writing = socket.socketpair()
    writing.sendall(b"a" * 100_000)
    request_file = RequestFile(reading, max_head_bytes=1000, deadline_s=PATIENCE_S)
    with pytest.raises(HeadTooLarge):
        request_file.readline(65537)
    assert len(request_file.take_rest()) <= 1000 + 8192
    reading.close()
    writing.close()


@pytest.mark.parametrize(
    "wire",
    [b"", b"GET /stre", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab"],
)
def test_slow_requests_are_given_up(make_site, wire):
    site = make_site(handshake_timeout_s=0.05)
    answer = site.ask(wire)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 500 "))
    until(lambda: site.server.pending == 0 and site.server.requests == 0)


def test_a_peer_that_drips_bytes_is_given_up(make_site):
    site = make_site(handshake_timeout_s=0.1)
    sock = site.connect()
    with pytest.raises(OSError):
        for byte in handshake() * 100:
            sock.sendall(bytes([byte]))
            gevent.sleep(0.005)
    assert site.gate.checked == []


def test_a_crowd_of_idle_connections_does_not_keep_a_call_out(make_site):
    site = make_site(limits=ServerLimits(max_pending=5))
    idle = [site.connect() for _ in range(20)]
    until(lambda: site.server.counters.accepted == 20)
    assert site.server.pending == 5
    assert site.server.counters.evicted == 15
    assert all(sock.recv(10) == b"" for sock in idle[:15])
    assert site.stream()
    assert site.server.pending == 4


def test_a_silent_stream_is_found_out(make_site):
    site = make_site(keepalive=KeepAlive(interval_s=0.04))
    site.stream()
    assert site.gate.owner.wait_closed().reason == "peer does not answer pings"


# --- starting and stopping ---


def test_an_address_in_use(site):
    with pytest.raises(OSError):
        MediaServer(site.server.address, site.gate, http_app).start()


def test_a_listening_socket_can_be_handed_in():
    listener = gevent.socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)
    server = MediaServer(listener, Gate(), http_app)
    server.start()
    with socket.create_connection(server.address) as sock:
        sock.sendall(b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert b" 200 OK" in read_answer(sock)
    server.stop(1)


def test_streams_outlive_the_listener_and_the_server(site):
    peer = site.stream()
    site.server.close_listener()
    with pytest.raises(OSError):
        site.connect()
    idle = left_behind()
    site.server.stop(1)
    assert left_behind()[0] <= idle[0]
    peer.send(TEXT, b"still here")
    assert site.gate.owner.wait_messages(1) == [(TEXT, b"still here")]


def test_stopping_ends_idle_connections_at_once_and_waits_for_work(site):
    idle, busy = site.connect(), site.connect()
    release = gevent.event.Event()

    def slow(environ, start_response):
        release.wait(PATIENCE_S)
        return http_app(environ, start_response)

    site.app = slow
    busy.sendall(b"GET /busy HTTP/1.1\r\n\r\n")
    until(lambda: site.server.requests == 1 and site.server.pending == 1)
    stopping = gevent.spawn(site.server.stop, PATIENCE_S)
    assert idle.recv(1) == b""
    assert not stopping.ready()
    release.set()
    assert b" 200 OK" in read_answer(busy)
    busy.close()
    stopping.get(timeout=PATIENCE_S)
