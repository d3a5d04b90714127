"""The other end of a link, well-behaved or not, and what a test waits for."""

from __future__ import annotations

import gc
import os
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import gevent.event
from greenlet import greenlet

from bridge.wire.frames import FrameLimits, FrameParser, Message, Role, client_frame, server_frame
from bridge.wire.link import CloseInfo, LinkLimits, WebSocketLink

TLS = Path(__file__).parent / "tls"
HANDSHAKE = (Path(__file__).parent / "freeswitch_handshake.bin").read_bytes()
"""As mod_audio_stream sent it (capture of a call): no space after the colon."""
PATIENCE_S = 5.0
KEY = b"\x01\x02\x03\x04"


def until(condition: Callable[[], Any], what: str = "condition") -> None:
    """Wait for a fact."""
    with gevent.Timeout(PATIENCE_S, AssertionError(f"never: {what}")):
        while not condition():
            gevent.sleep(0.001)


class Owner:
    """Whoever owns the link under test: keeps what it is told."""

    def __init__(self) -> None:
        self.calls: list[list[Message]] = []
        self.closed: list[CloseInfo] = []

    @property
    def messages(self) -> list[Message]:
        return [message for call in self.calls for message in call]

    def on_messages(self, messages: list[Message]) -> None:
        assert gevent.getcurrent() is gevent.get_hub()
        self.calls.append(messages)

    def on_closed(self, info: CloseInfo) -> None:
        assert gevent.getcurrent() is gevent.get_hub()
        self.closed.append(info)

    def link(self, sock: Any, role: Role = Role.SERVER, **options: Any) -> WebSocketLink:
        options.setdefault("limits", LinkLimits())
        return WebSocketLink(
            sock, role=role, on_messages=self.on_messages, on_closed=self.on_closed, **options
        )

    def wait_closed(self) -> CloseInfo:
        until(lambda: self.closed, "closed")
        gevent.sleep(0)
        assert len(self.closed) == 1
        return self.closed[0]

    def wait_messages(self, count: int) -> list[Message]:
        until(lambda: len(self.messages) >= count, f"{count} messages")
        return self.messages


class Peer:
    """A plain blocking socket that speaks frames, or anything else."""

    def __init__(self, sock: Any, role: Role = Role.CLIENT) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE_S)
        self._masks = role is Role.CLIENT
        self._parser = FrameParser(role, FrameLimits(1 << 26))
        self._messages: list[Message] = []

    def frame(self, opcode: int, payload: bytes = b"") -> bytes:
        if self._masks:
            return client_frame(opcode, payload, KEY)
        return server_frame(opcode, payload)

    def send(self, opcode: int, payload: bytes = b"") -> None:
        self.sock.sendall(self.frame(opcode, payload))

    def receive(self) -> Message:
        while not self._messages:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self._messages += self._parser.receive_data(data)
        return self._messages.pop(0)

    def wait_end(self) -> None:
        """The other side closed TCP and sent nothing more."""
        assert not self._messages
        assert self.sock.recv(1) == b""

    def reset(self) -> None:
        """Close with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a TCP connection over loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    return ours, theirs


def tls_server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "localhost.pem", TLS / "localhost.key")
    return context


def tls_client_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(TLS / "localhost.pem"))


def tls_pair() -> tuple[Any, Any]:
    """A TLS client's end and its server's."""
    ours, theirs = tcp_pair()
    accepting = gevent.spawn(tls_server_context().wrap_socket, theirs, server_side=True)
    client = tls_client_context().wrap_socket(ours, server_hostname="localhost")
    return client, accepting.get(timeout=PATIENCE_S)


PAIRS = {"socketpair": socket.socketpair, "tcp": tcp_pair, "tls": tls_pair}


def left_behind() -> tuple[int, int]:
    """Live greenlets and open descriptors of this process."""
    gc.collect()
    alive = [g for g in gc.get_objects() if isinstance(g, greenlet) and not g.dead]
    return len(alive), len(os.listdir("/proc/self/fd"))


def nothing_left_behind() -> Iterator[None]:
    """Compare before and after; for a fixture."""
    gevent.get_hub().threadpool.apply(int)  # its first worker stays
    gc.freeze()  # what was there before is not looked at again: ten times quicker
    try:
        before = left_behind()
        yield
        # Less is well: what earlier tests have let go of may be closed only now.
        until(
            lambda: all(now <= was for now, was in zip(left_behind(), before, strict=True)),
            f"greenlets and descriptors back to {before}",
        )
    finally:
        gc.unfreeze()
