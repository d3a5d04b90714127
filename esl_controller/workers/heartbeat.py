"""A sign of life once a second, to systemd or to `esl-controller watchdog`.

The protocol is sd_notify(3): datagrams of `NAME=value` lines to the socket named by NOTIFY_SOCKET.
The hub itself sends them, so they stop when it stops; sending never waits, and touches no disk.
"""

from __future__ import annotations

import _socket
from collections.abc import MutableMapping

import gevent
from gevent import Greenlet

from esl_controller.telemetry.background import forever

VARIABLE = "NOTIFY_SOCKET"
BEAT_S = 1.0
READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"


class Notifier:
    """Tells the supervisor; what it does not take is not told again."""

    def __init__(self, address: str) -> None:
        # sd_notify(3): a leading "@" stands for the zero byte of the abstract namespace (unix(7)).
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def tell(self, *lines: str) -> bool:
        """Send one datagram; False when nobody took it."""
        try:
            self._socket.sendto("\n".join(lines).encode(), self._address)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Give the socket back."""
        self._socket.close()


class Heartbeat:
    """Beats from `start` until `stop`. Without a supervisor that listens it does nothing."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Takes NOTIFY_SOCKET out of `environ`: what the worker starts has no say in its life."""
        address = environ.pop(VARIABLE, "")
        self._notifier = Notifier(address) if address[:1] in ("/", "@") else None
        self._beating: Greenlet[..., None] | None = None

    def start(self) -> None:
        """The worker takes calls."""
        if self._notifier is not None:
            self._notifier.tell(READY, ALIVE)
            self._beating = forever("heartbeat", self._run)

    def stop(self) -> None:
        """The worker ends: silence from now on is no hang."""
        if self._beating is not None:
            self._beating.kill(timeout=5)
            self._beating = None
        if self._notifier is not None:
            self._notifier.tell(STOPPING)
            self._notifier.close()
            self._notifier = None

    def _run(self) -> None:
        while True:
            gevent.sleep(BEAT_S)
            if self._notifier is not None:
                self._notifier.tell(ALIVE)
