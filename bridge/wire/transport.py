"""A connected stream socket served by the hub's I/O watchers: bytes in by callback, bytes out.

No greenlet and no queue: a readable socket calls a function. Callbacks run in the hub and must
not wait. A greenlet that reads instead costs three times as much per frame.
"""

from __future__ import annotations

import _socket
import logging
import ssl
import time
from collections.abc import Callable
from typing import Any, Protocol

import gevent
import gevent.socket
import gevent.ssl

_log = logging.getLogger("bridge.wire")

READ_BYTES = 16384
"""One read. Small, so that a flood of tiny frames cannot hold the hub for long. Also the most a TLS
record holds (RFC 8446 section 5.1), so a read leaves nothing decrypted behind."""
READS_PER_CALLBACK = 4
CALLBACK_S = 0.002
"""Then the other sockets have their turn, whichever is first: 16 kB of the smallest frames take
this long, of ordinary ones a hundredth."""
FLUSH_BYTES = 1 << 18
"""The most handed to the kernel in one write of a backlog."""

_WAIT = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

OnData = Callable[[bytes], None]
OnLost = Callable[[Exception | None], None]


class Channel(Protocol):
    """The few things asked of a socket, plain or TLS. Both ways raise one of `_WAIT` or OSError."""

    def recv(self, size: int, /) -> bytes:
        """Read what is there; empty at the end of the stream."""

    def send(self, data: Any, /) -> int:
        """Write what fits; return how much."""

    def pending(self) -> int:
        """Bytes already decrypted, which no watcher will tell about."""

    def fileno(self) -> int:
        """The descriptor to watch."""

    def close(self) -> None:
        """Close it; never raises."""


class PlainChannel(_socket.socket):
    """A TCP or UNIX socket without gevent's own watchers on it."""

    @classmethod
    def adopt(cls, sock: gevent.socket.socket | _socket.socket) -> PlainChannel:
        """Take the descriptor over; `sock` is left empty."""
        channel = cls(fileno=sock.detach())
        channel.setblocking(False)
        return channel

    def pending(self) -> int:
        """Nothing: the kernel holds all there is."""
        return 0


class TlsChannel:
    """gevent's TLS socket, used through its OpenSSL object so that nothing ever waits."""

    def __init__(self, sock: gevent.ssl.SSLSocket) -> None:
        self._sock = sock  # the OpenSSL object holds only a weak reference to it
        self._ssl: Any = sock._sslobj  # type: ignore[attr-defined]
        self.recv = self._ssl.read
        self.pending = self._ssl.pending
        self.send = self._ssl.write
        self.fileno = sock.fileno

    def close(self) -> None:
        """Say good-bye where that needs no waiting, then close."""
        try:
            self._ssl.shutdown()
        except OSError:
            _log.debug("TLS ended without close_notify")
        self._sock.close()


def open_channel(sock: Any) -> Channel:
    """Adopt a connected socket: gevent's, gevent's TLS, or a plain one. `sock` is used up."""
    if isinstance(sock, gevent.ssl.SSLSocket):
        return TlsChannel(sock)
    return PlainChannel.adopt(sock)


class Transport:
    """Reads when the socket is readable; writes at once, keeping what the kernel does not take.

    `on_data` gets each read. `on_lost` is called once, from the hub and never inside a call of
    ours, when the stream ends without `close`: with None at its end, else with the error.
    Adopting starts at the hub's next turn, so that the owner can finish its own set-up first.
    """

    def __init__(
        self, sock: Any, *, on_data: OnData, on_lost: OnLost, max_buffered_bytes: int
    ) -> None:
        self.bytes_in = 0
        self.bytes_out = 0
        self.closed = False
        self._channel = open_channel(sock)
        self._recv = self._channel.recv
        self._send = self._channel.send
        self._on_data = on_data
        self._on_lost = on_lost
        self._out = bytearray()
        self._max_buffered_bytes = max_buffered_bytes
        self._loop = gevent.get_hub().loop
        self._reader = self._loop.io(self._channel.fileno(), 1)
        self._writer: Any = None
        self._loop.run_callback(self._begin)

    @property
    def buffered_bytes(self) -> int:
        """Bytes the kernel would not take yet."""
        return len(self._out)

    def send(self, data: bytes) -> bool:
        """Write now or keep it; False when closed or lost.

        Raises `BufferError` when more than the limit would have to be kept.
        """
        if self.closed:
            return False
        if self._out:
            return self._keep(data)
        try:
            sent = self._send(data)
        except _WAIT:
            sent = 0
        except OSError as error:
            self._lose(error)
            return False
        self.bytes_out += sent
        return sent == len(data) or self._keep(data[sent:])

    def close(self) -> None:
        """Close at once, dropping what was kept. No callback follows."""
        if self.closed:
            return
        self.closed = True
        self._reader.stop()
        self._reader.close()
        if self._writer is not None:
            self._writer.stop()
            self._writer.close()
        self._out.clear()
        self._channel.close()
        self._on_data = self._on_lost = _nobody  # the owner need not be looked for by the collector

    def _begin(self) -> None:
        if self.closed:
            return
        self._reader.start(self._on_readable)
        if self._channel.pending():  # a TLS handshake read too far
            self._on_readable()

    def _on_readable(self) -> None:
        """Read what is there, at most `READS_PER_CALLBACK` times and not for long."""
        until = time.monotonic() + CALLBACK_S
        for _ in range(READS_PER_CALLBACK):
            try:
                data = self._recv(READ_BYTES)
            except _WAIT:
                return
            except OSError as error:
                self._lose(error)
                return
            if not data:
                self._lose(None)
                return
            self.bytes_in += len(data)
            self._on_data(data)
            if len(data) < READ_BYTES or self.closed or time.monotonic() >= until:
                return

    def _keep(self, data: bytes) -> bool:
        if len(self._out) + len(data) > self._max_buffered_bytes:
            raise BufferError(f"peer does not read: {len(self._out)} bytes wait")
        if not self._out:
            if self._writer is None:
                self._writer = self._loop.io(self._channel.fileno(), 2)
            self._writer.start(self._on_writable)
        self._out += data
        return True

    def _on_writable(self) -> None:
        try:
            with memoryview(self._out) as whole, whole[:FLUSH_BYTES] as view:
                sent = self._send(view)
        except _WAIT:
            return
        except OSError as error:
            self._lose(error)
            return
        self.bytes_out += sent
        del self._out[:sent]
        if not self._out:
            self._writer.stop()

    def _lose(self, error: Exception | None) -> None:
        if not self.closed:
            on_lost = self._on_lost
            self.close()
            self._loop.run_callback(on_lost, error)


def _nobody(_: object) -> None:
    """Hears of a stream that we have closed."""
