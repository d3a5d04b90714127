"""A network between us and a service on this host: bytes arrive later, in order."""

from __future__ import annotations

import contextlib
import socket as plain_socket
import time
from collections import deque
from urllib.parse import urlsplit

import gevent
from gevent import socket
from gevent.event import Event
from gevent.server import StreamServer

READ_BYTES = 65_536


class DelayedService:
    """Stands before a service; each way takes `delay_s`."""

    def __init__(self, url: str, delay_s: float) -> None:
        self._parts = urlsplit(url)
        self._delay_s = delay_s
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()

    @property
    def url(self) -> str:
        """The service's address, but for the port."""
        return self._parts._replace(netloc=f"127.0.0.1:{self._server.server_port}").geturl()

    def stop(self) -> None:
        """Drop every connection."""
        self._server.stop(timeout=0)

    def _serve(self, near: socket.socket, _address: object) -> None:
        with contextlib.closing(socket.create_connection(self._address())) as far:
            ways = [gevent.spawn(self._carry, near, far), gevent.spawn(self._carry, far, near)]
            gevent.joinall(ways, count=1)
            gevent.killall(ways)

    def _address(self) -> tuple[str, int]:
        return self._parts.hostname or "127.0.0.1", self._parts.port or 80

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        sink.setsockopt(plain_socket.IPPROTO_TCP, plain_socket.TCP_NODELAY, 1)
        queue: deque[tuple[float, bytes]] = deque()
        filled = Event()
        sending = gevent.spawn(self._deliver, queue, filled, sink)
        with contextlib.suppress(OSError):
            while data := source.recv(READ_BYTES):
                queue.append((time.monotonic() + self._delay_s, data))
                filled.set()
        queue.append((time.monotonic() + self._delay_s, b""))
        filled.set()
        sending.join()

    def _deliver(
        self, queue: deque[tuple[float, bytes]], filled: Event, sink: socket.socket
    ) -> None:
        with contextlib.suppress(OSError):
            while True:
                filled.wait()
                due, data = queue.popleft()
                if not queue:
                    filled.clear()
                gevent.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    return
                sink.sendall(data)
