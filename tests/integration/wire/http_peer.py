"""An HTTP server and a speech process that answer as told, and the owner of a channel."""

from __future__ import annotations

import os
import socket
import tempfile

import gevent
import gevent.server
import gevent.socket
import msgspec

from bridge.speech.frames import Kind, SpeechFrameParser, encode_frame
from bridge.wire.channel import ChannelEnd, ChannelListener
from tests.wire.ws.peers import PATIENCE_S, until


class Owner:
    """Keeps what a channel tells."""

    def __init__(self) -> None:
        self.opened = 0
        self.calls: list[list[bytes]] = []
        self.ends: list[ChannelEnd] = []
        self.faults: list[BaseException] = []
        self.listener = ChannelListener(
            self.on_open, self.calls.append, self.on_end, self.faults.append
        )

    def on_open(self) -> None:
        assert gevent.getcurrent() is gevent.get_hub()
        self.opened += 1

    def on_end(self, end: ChannelEnd) -> None:
        assert gevent.getcurrent() is gevent.get_hub()
        self.ends.append(end)

    @property
    def messages(self) -> list[bytes]:
        return [message for call in self.calls for message in call]

    def wait_end(self) -> ChannelEnd:
        until(lambda: self.ends or self.faults, "end of the channel")
        assert self.faults == []
        gevent.sleep(0.001)
        (end,) = self.ends
        return end


def read_head(sock: socket.socket) -> tuple[bytes, bytes]:
    """The head of a request, and its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(4096)
        if not more:
            return data, b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            while len(body) < int(line[15:]):
                body += sock.recv(4096)
    return head, body


class HttpPeer:
    """A server whose each connection is answered by `answer(sock, head, body)`."""

    def __init__(self, answer, tls=None) -> None:  # type: ignore[no-untyped-def]
        self.requests: list[tuple[bytes, bytes]] = []
        self._answer = answer
        self._tls = tls
        self._socks: list[socket.socket] = []
        self._server = gevent.server.StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        self.port = self._server.server_port
        self.url = f"{scheme}://{host}:{self.port}"

    def _serve(self, sock, _address) -> None:  # type: ignore[no-untyped-def]
        sock.settimeout(PATIENCE_S)
        if self._tls:
            try:
                sock = self._tls.wrap_socket(sock, server_side=True)
            except OSError:
                return
        self._socks.append(sock)
        try:
            head, body = read_head(sock)
            if head:
                self.requests.append((head, body))
                self._answer(sock, head, body)
        except OSError:
            return
        finally:
            sock.close()

    def close(self) -> None:
        self._server.stop(0.1)
        for sock in self._socks:
            sock.close()


def reply(status: int, body: bytes = b"", **headers: str):  # type: ignore[no-untyped-def]
    """An answer in one piece."""

    def answer(sock, head, sent):  # type: ignore[no-untyped-def]
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    return answer


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class SpeechPeer:
    """A speech process; `serve(sock, service, options)` goes on after its HELLO."""

    def __init__(self, serve) -> None:  # type: ignore[no-untyped-def]
        self._folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self._folder.name, "speech.sock")
        self._serve_service = serve
        listener = gevent.socket.socket(gevent.socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(4)
        self._listener = listener
        self.peers: list[SpeechSock] = []
        self._server = gevent.server.StreamServer(listener, self._serve)
        self._server.start()

    def _serve(self, sock, _address) -> None:  # type: ignore[no-untyped-def]
        peer = SpeechSock(sock)
        self.peers.append(peer)
        try:
            kind, payload = peer.receive()
            assert kind is Kind.HELLO
            hello = msgspec.json.decode(payload)
            self._serve_service(peer, hello["service"], hello["options"])
        except (EOFError, OSError):
            return
        finally:
            sock.close()

    def close(self) -> None:
        self._server.stop(0.1)
        for peer in self.peers:
            peer.sock.close()
        self._listener.close()
        self._folder.cleanup()


class SpeechSock:
    """One connection of the speech process."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE_S)
        self._parser = SpeechFrameParser()
        self._frames: list[tuple[Kind, bytes]] = []

    def send(self, kind: Kind, payload: bytes = b"") -> None:
        self.sock.sendall(encode_frame(kind, payload))

    def receive(self) -> tuple[Kind, bytes]:
        while not self._frames:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self._frames = self._parser.receive_data(data)
        return self._frames.pop(0)
