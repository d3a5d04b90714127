"""A media server with a gate that keeps what it is asked, and FreeSWITCH's handshake."""

import base64
import hashlib
import socket

import gevent
import gevent.event
import gevent.socket

from bridge.routes import Refusal, StreamRequest
from bridge.server import MediaServer
from tests.wire.ws.peers import (
    HANDSHAKE,
    PATIENCE_S,
    Owner,
    Peer,
    until,
)

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
