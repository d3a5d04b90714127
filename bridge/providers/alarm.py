"""One timer for a deadline that moves: set anew only for an earlier one.

A later deadline is seen when the timer rings, so that moving it costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent


class Alarm:
    """Calls `ring` on the hub, where it must not wait or raise."""

    def __init__(self, clock: Callable[[], float], ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._timer: Any = None
        self._at = 0.0

    def by(self, deadline: float) -> None:
        """Ring at `deadline` at the latest."""
        if self._timer is None or deadline < self._at:
            self.stop()
            self._at = deadline
            self._timer = gevent.get_hub().loop.timer(max(0.0, deadline - self._clock()))
            self._timer.start(self._rings, update=True)

    def stop(self) -> None:
        """Ring no more."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def close(self) -> None:
        """Ring never again: whoever it would call knows it, and is to be forgotten with it."""
        self.stop()
        self._ring = _nobody

    def _rings(self) -> None:
        self.stop()
        self._ring()


def _nobody() -> None:
    """Whom a closed alarm calls."""
