"""One ticker for the media of all calls: each has its turn once a packet, on an absolute clock.

Calls are spread over slots of 1 ms, as calls on a real switch are out of step with one another.
There is one greenlet for all; a call costs a function call per frame.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import gevent

from bridge.audio.formats import FRAME_MS

FRAME_S = FRAME_MS / 1000
SLOTS = 120
"""A millisecond each; every packet time (10, 20, 30, 40, 60 ms) fits whole times into them."""
_SLOT_S = 0.001
_LATE_S = 0.01
# Frames made up for after the process was held up; more are dropped, as RTP would be.
_MAX_CATCH_UP_S = 0.2

Tick = Callable[[float], None]


class MediaClock:
    """Calls each subscriber with the time once in its period.

    `speed` lets the simulated time run faster than the real one, for tests that wait for long
    playbacks; with 1.0 times are those of `time.monotonic`.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._began = time.monotonic()
        self._slots: list[dict[Tick, None]] = [{} for _ in range(SLOTS)]
        self._greenlet: gevent.Greenlet[[], None] | None = None
        self.late_slots = 0
        """Slots that began more than 10 ms after their time."""
        self.skipped_slots = 0
        """Slots given up because the process was held up too long."""
        self.failures: list[Exception] = []
        """Errors inside a subscriber: bugs. That subscriber is called no more."""

    def now(self) -> float:
        """Seconds, monotonic; simulated time."""
        return self._began + (time.monotonic() - self._began) * self._speed

    def add(self, tick: Tick, period_ms: int = FRAME_MS) -> None:
        """Give `tick` a place in the emptiest slot; the first subscriber starts the clock."""
        if SLOTS % period_ms:
            raise ValueError(f"{period_ms} ms do not divide {SLOTS} ms")
        first = min(range(period_ms), key=lambda slot: len(self._slots[slot]))
        for slot in range(first, SLOTS, period_ms):
            self._slots[slot][tick] = None
        if self._greenlet is None:
            self._greenlet = gevent.spawn(self._run)

    def remove(self, tick: Tick) -> None:
        """No further calls to `tick`; unknown ones are ignored."""
        for slot in self._slots:
            slot.pop(tick, None)

    def stop(self) -> None:
        """End the ticker for good."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None

    def _run(self) -> None:
        due = time.monotonic()
        slot_s = _SLOT_S / self._speed
        turn = 0
        while True:
            due += slot_s
            wait_s = due - time.monotonic()
            if wait_s > 0:
                gevent.sleep(wait_s)
            elif wait_s < -_MAX_CATCH_UP_S:
                skipped = int(-wait_s / slot_s)
                self.skipped_slots += skipped
                due += skipped * slot_s
                gevent.sleep(0)
            elif wait_s < -_LATE_S:
                self.late_slots += 1
                gevent.sleep(0)
            turn = (turn + 1) % SLOTS
            if self._slots[turn]:
                now = self.now()
                for tick in tuple(self._slots[turn]):
                    self._run_one(tick, now)

    def _run_one(self, tick: Tick, now: float) -> None:
        """The boundary between one call's trouble and all the others."""
        try:
            tick(now)
        except Exception as error:  # noqa: BLE001 - reported by the hub, counted, that call ends
            self.failures.append(error)
            self.remove(tick)
            gevent.get_hub().handle_error(tick, *sys.exc_info())
