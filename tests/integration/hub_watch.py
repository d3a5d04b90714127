"""How late the hub of this process was: what a busy machine adds to every time measured in it."""

from __future__ import annotations

import time

import gevent

_STEP_S = 0.005
STEP_MS = 1000 * _STEP_S
"""The hub may have stood still for so much longer than the watch was late."""


class HubWatch:
    """Notes the worst lateness of a short sleep while it is entered."""

    def __init__(self) -> None:
        self.worst_ms = 0.0
        self._greenlet: gevent.Greenlet | None = None

    def __enter__(self) -> HubWatch:
        self._greenlet = gevent.spawn(self._run)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Watch no more: for tests that count how often the hub wakes."""
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            gevent.sleep(_STEP_S)
            self.worst_ms = max(self.worst_ms, (time.monotonic() - began - _STEP_S) * 1000)
