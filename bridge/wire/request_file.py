"""The request side of an HTTP connection, as pywsgi reads it, with limits and a deadline.

pywsgi's own file has neither: a peer that sends a byte a second holds a greenlet for ever, and
only single lines are limited. Reading too far is no harm: `take_rest` gives the bytes back.
"""

from __future__ import annotations

import socket
import time

_READ_BYTES = 8192
WRITE_TIMEOUT_S = 30.0
"""For a peer that does not read the answer."""


class HeadTooLarge(ValueError):
    """Request line and headers together are over the limit."""


class RequestFile:
    """What pywsgi needs of a file (`readline`, `read`, `closed`), over a gevent socket.

    The deadline runs from `start_request` and raises `TimeoutError` in the reading greenlet.
    """

    def __init__(self, sock: socket.socket, *, max_head_bytes: int, deadline_s: float) -> None:
        self.closed = False
        self._sock = sock
        self._buffer = bytearray()
        self._max_head_bytes = max_head_bytes
        self._deadline_s = deadline_s
        self._head_left = 0
        self._deadline = 0.0
        self.start_request()

    @property
    def buffered_bytes(self) -> int:
        """Bytes read beyond the request: the next one was sent before an answer."""
        return len(self._buffer)

    def start_request(self) -> None:
        """Reset the limits for the next request."""
        self._head_left = self._max_head_bytes
        self._deadline = time.monotonic() + self._deadline_s

    def readline(self, limit: int = -1) -> bytes:
        """One line with its end, cut at `limit`; shorter only at the end of the stream.

        Raises `HeadTooLarge`, `TimeoutError`, `OSError`.
        """
        searched = 0
        while True:
            end = self._buffer.find(b"\n", searched) + 1
            searched = len(self._buffer)
            if end or 0 <= limit <= searched or not self._fill():
                break
            if len(self._buffer) > self._head_left:
                raise HeadTooLarge("request head too large")
        size = end or len(self._buffer)
        line = self._take(size if limit < 0 else min(size, limit))
        self._head_left -= len(line)
        if self._head_left < 0:
            raise HeadTooLarge("request head too large")
        return line

    def read(self, size: int = -1) -> bytes:
        """`size` bytes, fewer only at the end of the stream. Raises `TimeoutError`, `OSError`."""
        while (size < 0 or len(self._buffer) < size) and self._fill():
            pass
        return self._take(len(self._buffer) if size < 0 else size)

    def take_rest(self) -> bytes:
        """Return everything read beyond the request and end the file."""
        self.closed = True
        return self._take(len(self._buffer))

    def close(self) -> None:
        """Read no more: the stream has ended for the reader. The socket is closed elsewhere."""
        self.closed = True

    def _take(self, size: int) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _fill(self) -> bool:
        """Wait for more, at most until the deadline; False at the end of the stream."""
        if self.closed:
            return False
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("request not complete in time")
        self._sock.settimeout(left_s)
        data = self._sock.recv(_READ_BYTES)
        self._sock.settimeout(WRITE_TIMEOUT_S)
        self._buffer += data
        return bool(data)
