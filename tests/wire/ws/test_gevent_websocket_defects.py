"""Why frames are ours: defects of gevent-websocket 0.10.1, shown on it and absent here.

The library makes the handshake only; its WebSocket object never touches a connection of ours.
"""

import io
import struct
import sys

import gevent
import gevent.pywsgi
import gevent.socket
import pytest
from geventwebsocket.exceptions import WebSocketError
from geventwebsocket.handler import WebSocketHandler
from geventwebsocket.websocket import Header

from bridge.errors import RemoteProtocolError
from bridge.wire import frames
from bridge.wire.frames import BINARY, CLOSE, PING, PONG, TEXT, FrameLimits, FrameParser, Role
from bridge.wire.link import LinkLimits
from tests.wire.ws.peers import KEY, Owner, Peer, nothing_left_behind, tcp_pair, until

clean = pytest.fixture(autouse=True)(nothing_left_behind)

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: mWOq640xJ16Pmq4TWD7L/A==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Library:
    """The plain library serving one connection with `handle(websocket)`."""

    def __init__(self, handle, request=REQUEST):
        def application(environ, start_response):
            websocket = environ.get("wsgi.websocket")
            if websocket is not None:
                handle(websocket)
            return []

        self.server = gevent.pywsgi.WSGIServer(
            ("127.0.0.1", 0), application, log=None, error_log=None, handler_class=WebSocketHandler
        )
        self.server.start()
        sock = gevent.socket.create_connection(self.server.address)
        sock.sendall(request)
        self.answer = b""
        while not self.answer.endswith(b"\r\n\r\n"):
            data = sock.recv(1)
            if not data:
                break
            self.answer += data
        self.peer = Peer(sock)

    def close(self):
        self.peer.sock.close()
        self.server.stop(1)


@pytest.fixture
def library():
    made = []

    def make(*args, **options):
        made.append(Library(*args, **options))
        return made[-1]

    yield make
    for thing in made:
        thing.close()


@pytest.fixture
def ours():
    """A server's link and its client, which has made its handshake."""
    sock, theirs = tcp_pair()
    owner, peer = Owner(), Peer(theirs)
    link = owner.link(sock)
    yield link, owner, peer
    link.abort()
    owner.wait_closed()
    peer.sock.close()


def lines_run(function):
    """How many lines of Python a call takes: a cost that no busy machine changes."""
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def test_w1_unmasking_is_not_a_loop_over_bytes():
    header = Header(length=640)
    header.mask = KEY
    assert lines_run(lambda: header.unmask_payload(bytearray(640))) > 640
    parser = FrameParser(Role.SERVER, FrameLimits())
    wire = frames.client_frame(BINARY, bytes(640), KEY)
    assert lines_run(lambda: parser.receive_data(wire)) < 60


def test_w2_a_claimed_length_is_limited():
    claim = b"\x82\xff" + struct.pack("!Q", 1 << 32)
    assert Header.decode_header(io.BytesIO(claim + KEY)).length == 1 << 32
    parser = FrameParser(Role.SERVER, FrameLimits())
    with pytest.raises(RemoteProtocolError) as raised:
        parser.receive_data(claim)
    assert raised.value.close_code == frames.TOO_BIG
    assert parser.buffered_bytes == 0


def test_w3_frames_of_a_client_must_be_masked(library, ours):
    unmasked = frames.server_frame(TEXT, b"unmasked")
    theirs = library(lambda websocket: websocket.send(websocket.receive()))
    theirs.peer.sock.sendall(unmasked)
    assert theirs.peer.receive() == (TEXT, b"unmasked")
    _, owner, peer = ours
    peer.sock.sendall(unmasked)
    assert peer.receive()[1][:2] == b"\x03\xea"
    assert owner.messages == []


# W4, no keep-alive: tests/integration/wire/test_links.py, test_the_keepalive_gives_up_…


def test_w5_a_close_carries_its_code(library, ours):
    theirs = library(lambda websocket: websocket.close(1011, "reason"))
    assert theirs.peer.sock.recv(100) == b"\x88\x06reason"  # "re" is read as code 29285
    link, _, peer = ours
    link.close(1011, "reason")
    assert peer.receive() == (CLOSE, b"\x03\xf3reason")


def test_w5_the_echo_of_a_close_carries_the_peers_code(library, ours):
    theirs = library(lambda websocket: websocket.receive())
    theirs.peer.send(CLOSE, frames.encode_close(1000, "bye"))
    echoed = theirs.peer.sock.recv(100)
    with pytest.raises(RemoteProtocolError):
        frames.decode_close(echoed[2:])
    _, _, peer = ours
    peer.send(CLOSE, frames.encode_close(1000, "bye"))
    assert peer.receive() == (CLOSE, b"\x03\xe8")


def test_w6_a_ping_carries_its_bytes(library, ours):
    theirs = library(lambda websocket: websocket.send_frame(b"abc", websocket.OPCODE_PING))
    assert theirs.peer.receive() == (PING, b"b'abc'")
    link, _, peer = ours
    link.ping()
    opcode, payload = peer.receive()
    assert (opcode, len(payload)) == (PING, 4)
    peer.send(PONG, payload)
    until(lambda: link.rtt_s is not None)


@pytest.mark.parametrize(
    "request_bytes",
    [
        REQUEST.replace(b"Version: 13", b"Version: 99"),
        REQUEST.replace(b"mWOq640xJ16Pmq4TWD7L/A==", b"abcde"),
    ],
)
def test_w7_a_bad_handshake_makes_the_library_fail(library, request_bytes, capsys):
    library(lambda websocket: None, request=request_bytes)
    assert "Error" in capsys.readouterr().err
    # Ours: tests/integration/wire/test_media_server.py, test_what_is_refused_before_the_upgrade


LARGE = 8_000_000


def test_w8_a_pong_never_lands_inside_a_large_message(library):
    def handle(websocket):
        sending = gevent.spawn(websocket.send, b"x" * LARGE, binary=True)
        gevent.sleep(0)  # the kernel's buffer is full and the sender waits
        try:
            websocket.receive()  # answers the ping
            sending.get(timeout=5)
        except WebSocketError:
            sending.kill()

    theirs = library(handle)
    theirs.peer.send(PING, b"ping")
    gevent.sleep(0.05)
    _, payload = theirs.peer.receive()
    assert payload.strip(b"x")  # the PONG's bytes, in the middle of the message

    sock, other = tcp_pair()
    owner, peer = Owner(), Peer(other)
    link = owner.link(sock, limits=LinkLimits(max_buffered_bytes=2 * LARGE))
    link.send_binary(b"x" * LARGE)
    assert link.buffered_bytes > 0
    peer.send(PING, b"ping")
    gevent.sleep(0.05)
    assert peer.receive() == (BINARY, b"x" * LARGE)
    assert peer.receive() == (PONG, b"ping")
    link.abort()
    owner.wait_closed()
    other.close()


def test_w9_an_abrupt_end_is_told_and_binary_is_bytes(library, ours):
    told = []

    def handle(websocket):
        told.append(type(websocket.receive()))
        told.append(websocket.receive())

    theirs = library(handle)
    theirs.peer.send(BINARY, b"abc")
    until(lambda: told)
    theirs.peer.sock.close()
    until(lambda: len(told) == 2)
    assert told == [bytearray, None]  # as after a proper Close

    _, owner, peer = ours
    peer.send(BINARY, b"abc")
    assert owner.wait_messages(1) == [(BINARY, b"abc")]
    assert type(owner.messages[0][1]) is bytes
    peer.sock.close()
    assert owner.wait_closed().code == frames.ABNORMAL
