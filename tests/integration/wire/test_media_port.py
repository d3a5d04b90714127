"""The media port: plain HTTP, abuse, starting and stopping."""

import socket

import gevent
import gevent.event
import gevent.socket
import pytest
import requests

from bridge.server import MediaServer, ServerLimits
from bridge.wire.frames import TEXT
from bridge.wire.keepalive import KeepAlive
from bridge.wire.request_file import HeadTooLarge, RequestFile
from bridge.wire.turns import others_first
from tests.integration.wire.media_site import Gate, handshake, http_app, read_answer
from tests.wire.ws.peers import (
    PATIENCE_S,
    left_behind,
    until,
)

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


def test_readiness_is_told_while_every_other_place_is_taken(make_site):
    limits = ServerLimits(max_requests=2, reserved_requests=1)
    site = make_site(limits=limits)
    waiting = [site.connect() for _ in range(2)]
    for sock in waiting:
        sock.sendall(b"POST /api/v1/x HTTP/1.1\r\nContent-Length: 9\r\n\r\nwith")
    until(lambda: site.server.requests == 2)
    closing = b"HTTP/1.1\r\nConnection: close\r\n\r\n"
    assert site.ask(b"GET /metrics " + closing).startswith(b"HTTP/1.1 503 ")
    assert site.ask(b"GET /ready " + closing).startswith(b"HTTP/1.1 200 ")
    for sock in waiting:
        sock.close()


def test_a_connection_is_closed_after_a_few_requests(make_site):
    site = make_site(limits=ServerLimits(max_requests_per_connection=3))
    answers = site.ask(b"GET /x HTTP/1.1\r\n\r\n" * 10)
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    *kept, last = answers.split(b"HTTP/1.1 200 OK")[1:]
    assert b"Connection: close" in last
    assert not any(b"Connection: close" in head for head in kept)


def test_pipelined_requests_leave_others_their_turns(make_site):
    """Ten connections that never stop asking: another greenlet runs between any two answers."""
    site = make_site(limits=ServerLimits(max_requests_per_connection=400))
    answered, between = [0], []

    def app(environ, start_response):
        answered[0] += 1
        return http_app(environ, start_response)

    def others():
        while True:
            before = answered[0]
            others_first()
            between.append(answered[0] - before)

    site.app = app
    other = gevent.spawn(others)
    socks = [site.connect() for _ in range(10)]
    for sock in socks:
        sock.sendall(b"GET /metrics HTTP/1.1\r\n\r\n" * 40)
    until(lambda: answered[0] == 400)
    other.kill()
    assert site.server.share.given_way >= 10 * 38
    assert max(between) <= len(socks)  # each connection's first; from then on one at a time
    assert sum(1 for count in between if count > 1) <= 10


def test_a_peer_that_does_not_take_its_answer_is_no_error_of_ours(site, monkeypatch, caplog):
    monkeypatch.setattr("bridge.wire.request_file.WRITE_TIMEOUT_S", 0.05)
    big = bytes(8_000_000)

    def app(_environ, start_response):
        start_response("200 OK", [("Content-Length", str(len(big)))])
        return [big]

    site.app = app
    site.connect().sendall(b"GET /x HTTP/1.1\r\n\r\n")
    until(lambda: site.server.counters.malformed == 1)
    until(lambda: site.server.requests == 0)
    assert caplog.records == []


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
