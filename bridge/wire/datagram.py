"""UDP on the hub's watchers, for FreeSWITCH's `unicast`: one datagram for each packet of the call.

`unicast` has no authentication: whoever reaches the port is heard. So the socket is connected to
the agreed address and the kernel drops what others send.
"""

from __future__ import annotations

import _socket
import logging
import time
from collections.abc import Callable
from typing import Any

import gevent

from bridge.errors import LocalProtocolError

_log = logging.getLogger("bridge.wire")

MAX_DATAGRAM_BYTES = 8192
"""Longer ones are dropped; a frame of L16 at 48 kHz has 1920 bytes."""
DATAGRAMS_PER_CALLBACK = 16
"""Datagrams read in one turn; then other sockets are served."""
_SO_MEMINFO = 55
_MEMINFO_BYTES = 36
_DROPS = slice(32, 36)
"""What a socket could not keep is counted in the last of nine words (linux/sock_diag.h)."""

OnDatagram = Callable[[bytes], None]


class DatagramLink:
    """Sends to and hears from one `remote` only. Addresses are IPv4, as FreeSWITCH's are
    (switch_ivr.c binds AF_INET whatever it is told): `("127.0.0.1", 0)`.

    `on_datagram` runs in the hub and must not wait; when it raises, the link closes.
    The remote may be set afterwards, when its port is agreed only later.
    """

    def __init__(
        self,
        *,
        on_datagram: OnDatagram,
        local: tuple[str, int] = ("127.0.0.1", 0),
        remote: tuple[str, int] | None = None,
    ) -> None:
        self.datagrams_in = 0
        self.datagrams_out = 0
        self.bytes_in = 0
        self.dropped = 0
        """Not sent because the kernel would not take them, or received too long."""
        self.refused = 0
        """How often the remote host reported that the port is closed."""
        self.refused_at = 0.0
        """When it did first: monotonic seconds."""
        self.closed = False
        self._overflow = b""
        """What the kernel had dropped of a deaf link at the last look."""
        self._stale = False
        """What the kernel keeps of a deaf link came before the last look."""
        self._on_datagram = on_datagram
        self._sock = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._send = self._sock.send
        self._sock.bind(local)
        self.address: tuple[str, int] = self._sock.getsockname()
        """The local address, with the port the kernel chose."""
        self._reader: Any = gevent.get_hub().loop.io(self._sock.fileno(), 1)
        if remote is not None:
            self.connect(remote)

    def connect(self, remote: tuple[str, int]) -> None:
        """Set the remote and begin to listen. Datagrams that others sent before are dropped."""
        self._sock.connect(remote)
        while self._receive() is not None:
            self.dropped += 1
        self._reader.start(self._on_readable)

    def deafen(self) -> None:
        """Stop reading, only send. The kernel keeps one or two datagrams and drops the rest."""
        self._reader.stop()
        self._sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_RCVBUF, 0)  # the least it allows
        self._overflow = self._dropped_by_kernel()

    def peek(self) -> int:
        """On a deaf link: more than 0 means that the remote has sent something since the last look.

        As a rule what the kernel counts as dropped tells so: that costs less than reading. A
        refusal is noted only when nothing came.
        """
        before, self._overflow = self._overflow, self._dropped_by_kernel()
        if self._overflow != before:
            self._stale, count = True, 1
        else:
            stale, self._stale, count = self._stale, False, self._drain()
            count = 0 if stale else count
        self.datagrams_in += count
        return count

    def _dropped_by_kernel(self) -> bytes:
        try:
            counted = self._sock.getsockopt(_socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO_BYTES)
        except OSError:  # Linux before 4.12
            return b""
        return counted[_DROPS]

    def _drain(self) -> int:
        count = 0
        while count < DATAGRAMS_PER_CALLBACK and self._receive() is not None:
            count += 1
        return count

    def send(self, data: bytes) -> bool:
        """Send one datagram; False when it could not go out now.

        Raises `LocalProtocolError` for an empty one: it would end `unicast` for good.
        """
        if not data:
            raise LocalProtocolError("empty datagram")
        try:
            self._send(data)
        except ConnectionRefusedError:
            self._note_refusal()
            return False
        except OSError:  # also once it is closed
            self.dropped += 1
            return False
        self.datagrams_out += 1
        return True

    def close(self) -> None:
        """Stop; no callback follows."""
        if self.closed:
            return
        self.closed = True
        self._reader.stop()
        self._reader.close()
        self._sock.close()
        self._on_datagram = _nobody

    def _receive(self) -> bytes | None:
        try:
            return self._sock.recv(MAX_DATAGRAM_BYTES)
        except BlockingIOError:
            return None
        except OSError:  # ECONNREFUSED: the remote's answer to something sent earlier
            self._note_refusal()
            return None

    def _note_refusal(self) -> None:
        self.refused += 1
        self.refused_at = self.refused_at or time.monotonic()

    def _on_readable(self) -> None:
        for _ in range(DATAGRAMS_PER_CALLBACK):
            data = self._receive()
            if data is None:
                return
            if len(data) == MAX_DATAGRAM_BYTES:
                self.dropped += 1
                continue
            self.datagrams_in += 1
            self.bytes_in += len(data)
            self._hand_over(data)
            if self.closed or not self._reader.active:
                return

    def _hand_over(self, data: bytes) -> None:
        try:
            self._on_datagram(data)
        except Exception:  # noqa: BLE001 - boundary between the hub and the owner
            _log.exception("datagram handler failed: closing this link")
            self.close()


def _nobody(_: bytes) -> None:
    """Hears of a link that we have closed."""
