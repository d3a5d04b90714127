"""Drives the pacer from the hub: one libev timer for all calls of a worker."""

from __future__ import annotations

import logging
import time
from typing import Any

import gevent

from bridge.audio.pacer import Due, Pacer

monotonic = time.monotonic
"""The clock of everything here that takes `now`."""

_log = logging.getLogger(__name__)


class PacerClock:
    """Calls `pacer.tick` at each of its deadlines; sleeps while no stream is on the wheel.

    The timer is set anew for each absolute deadline, so a late tick never delays the next one.
    """

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._loop = gevent.get_hub().loop
        self._timer: Any = None
        self._running = False

    def start(self) -> None:
        """Begin to tick; no effect when started."""
        if not self._running:
            self._running = True
            self._pacer.on_wake = self._arm
            self._pacer.on_error = self._pacer.on_error or _log_failure
            self._arm()

    def stop(self) -> None:
        """Tick no more."""
        self._running = False
        self._pacer.on_wake = None
        self._disarm()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _arm(self) -> None:
        self._disarm()
        deadline = self._pacer.next_deadline()
        if deadline is not None:
            self._timer = self._loop.timer(max(0.0, deadline - monotonic()))
            # libev counts from its own last look at the clock, which may be a burst of work ago.
            self._timer.start(self._tick, update=True)

    def _tick(self) -> None:
        try:
            self._pacer.tick(monotonic())
        finally:
            if self._running:
                self._arm()


def _log_failure(stream: Due, error: Exception) -> None:
    _log.error("a stream failed while sending and was taken off the pacer", exc_info=error)
