"""The media port: handshakes as FreeSWITCH makes them, and what is refused before the upgrade."""

import logging
import socket

import gevent
import gevent.event
import gevent.socket
import pytest
import websocket

from bridge.routes import Refusal, StreamRequest
from bridge.wire import frames
from bridge.wire.frames import BINARY, CLOSE, PING, PONG, TEXT
from tests.integration.wire.media_site import ACCEPT, CALL, DOMAIN, PATH, handshake, read_answer
from tests.wire.ws.peers import (
    HANDSHAKE,
    PATIENCE_S,
    Peer,
    left_behind,
    until,
)

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


def test_requests_that_come_together_are_answered_in_rounds_of_their_own(site):
    rounds, answered = [0], []
    answer = site.app

    def app(environ, start_response):
        answered.append(rounds[0])
        return answer(environ, start_response)

    def count():
        rounds[0] += 1

    site.app = app
    watcher = gevent.get_hub().loop.prepare()
    watcher.start(count)
    try:
        socks = [site.connect() for _ in range(40)]
        for sock in socks:
            sock.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        for sock in socks:
            assert b" 200 " in read_answer(sock)
    finally:
        watcher.stop()
        watcher.close()
    assert len(set(answered)) == len(answered) == 40
