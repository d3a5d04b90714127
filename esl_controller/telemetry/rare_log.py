"""Warnings about what strangers do: one line a minute with a count, however often it happens."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

INTERVAL_S = 60.0


class RareLog:
    """One kind of warning. The first is logged at once, those of the next minute by their number.

    The count comes with the first warning after the minute: what has stopped needs no line.
    """

    def __init__(self, event: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._event = event
        self._clock = clock
        self._next_at = clock()
        self._held_back = 0

    def warn(self, **fields: object) -> None:
        """Log the event with `fields`, or count it."""
        now = self._clock()
        if now < self._next_at:
            self._held_back += 1
            return
        self._next_at = now + INTERVAL_S
        held_back, self._held_back = self._held_back, 0
        structlog.get_logger().warning(self._event, **fields, unlogged_since=held_back)
