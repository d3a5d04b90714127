"""A provider's server that answers as told, its protocol, and the owner of a link to it."""

import base64
import hashlib
import socket
import ssl
from collections import deque

import gevent
import gevent.server

from bridge.audio.formats import L16_16K
from bridge.providers.actions import Endpoint, Open, Send
from bridge.providers.base import NO_PIECES, CallerStarted, ProviderFailure, SessionReady, Usage
from bridge.providers.conversation import Conversation
from bridge.providers.host import Network, ProviderHost
from bridge.providers.http_errors import end_failure
from bridge.wire import frames
from bridge.wire.channel import ChannelEnd
from bridge.wire.frames import TEXT, Role
from bridge.wire.keepalive import KeepAlive
from tests.wire.ws.peers import (
    PATIENCE_S,
    Peer,
    until,
)

TALK = Conversation(L16_16K, L16_16K)
READY = SessionReady("s1", L16_16K, L16_16K)
SECRET = "sk-s3cret"
MAIN = "main"


class Protocol:
    """A provider of one WebSocket that understands a few words."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.events: deque = deque()
        self.out: list = []
        self.opened_at: float | None = None
        self.received: list[bytes] = []
        self.ends: list[ChannelEnd] = []
        self.deadline: float | None = None
        self.timeouts: list[float] = []
        self.end_event = end_failure
        """What the end of the channel means; None: nothing."""

    def start(self, conversation, now):
        headers = (("Authorization", f"Bearer {SECRET}"),)
        self.out.append(Open(MAIN, Endpoint(self.url, headers, ("realtime",))))

    def stop(self, now):
        self.say(b"bye")
        self.events.append(Usage("test", audio_seconds=7.0))

    def receive_open(self, channel, now):
        assert not self.received
        self.opened_at = now
        self.say(b"session.update")

    def receive_message(self, channel, data, now):
        assert channel == MAIN
        assert self.opened_at is not None
        self.received.append(data)
        if data == b"ready":
            self.events.append(READY)
        elif data == b"speech":
            self.events.append(CallerStarted())
        elif data == b"question":
            self.say(b"answer")
        elif data == b"fail":
            raise RuntimeError("protocol failed")

    def receive_audio(self, channel, messages, now):
        return NO_PIECES

    def receive_end(self, channel, end, now):
        self.ends.append(end)
        if self.end_event is not None:
            self.events.append(self.end_event(end))

    def say(self, data):
        self.out.append(Send(MAIN, data))

    def next_event(self):
        return self.events.popleft() if self.events else None

    def actions(self):
        out, self.out = self.out, []
        return out

    def next_deadline(self):
        return self.deadline

    def handle_timeout(self, now):
        self.timeouts.append(now)
        self.deadline = None
        self.events.append(CallerStarted("late"))


class Provider:
    """A server that answers each connection by the next of its `answers`, then by the last."""

    def __init__(self, *answers, tls: ssl.SSLContext | None = None) -> None:
        self.answers = list(answers) or [accept]
        self.requests: list[bytes] = []
        self.connections = 0
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
        self.connections += 1
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


def header(request: bytes, name: bytes) -> bytes | None:
    lines = request.split(b"\r\n")
    return next((x.partition(b": ")[2] for x in lines if x.startswith(name + b": ")), None)


def switching_protocols(request: bytes) -> bytes:
    """Speaks the subprotocol it is asked for."""
    key = header(request, b"Sec-WebSocket-Key") or b""
    subprotocol = header(request, b"Sec-WebSocket-Protocol")
    chosen = b"Sec-WebSocket-Protocol: " + subprotocol + b"\r\n" if subprotocol else b""
    accept_key = base64.b64encode(
        hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    )
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + chosen
        + b"Set-Cookie: id=tenant-a; Domain=127.0.0.1\r\n"
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
    """The owner of a provider host."""

    def __init__(self, url, **options):
        self.events: list = []
        self.calls = 0
        self.protocol = Protocol(url)
        options.setdefault("network", Network(first_backoff_s=0.001, keepalive=KeepAlive()))
        options.setdefault("connect_timeout_s", PATIENCE_S)
        self.host = ProviderHost(self.protocol, TALK, on_events=self.on_events, **options)

    def on_events(self, events):
        assert not self.failures
        self.calls += 1
        self.events += events

    @property
    def failures(self) -> list[ProviderFailure]:
        return [e for e in self.events if isinstance(e, ProviderFailure) and e.fatal]

    @property
    def link(self):
        """The WebSocket link of the open channel."""
        return self.host._slots[MAIN].channel.link

    def start(self):
        self.host.start()
        return self

    def wait_failure(self):
        until(lambda: self.failures, "failure")
        gevent.sleep(0)
        assert len(self.failures) == 1
        return self.failures[0]


def up(pair):
    """Wait until the session is configured."""
    provider, session = pair
    until(lambda: provider.peers and session.protocol.opened_at is not None)
    return provider, session
