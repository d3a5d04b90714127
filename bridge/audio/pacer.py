"""One clock for all audio sent in real time: a timing wheel on absolute deadlines.

The period is cut into slots. A stream joins the slot that is due next and from then on is called
once a period, so that the calls of a worker spread over the period instead of all being due at
once. A late tick is caught up within that tick: a stream is told the time and sends all that has
become due, and the next deadline lies on the same grid as before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bridge.errors import LocalProtocolError

LATE_MS = 40
"""A frame later than this is counted as late: two packets of a phone's jitter buffer."""
LATENESS_BOUNDS_MS = (1, 2, 5, 10, 20, 40)
"""Upper bounds of the lateness histogram; a last bucket holds everything above."""


class Due(Protocol):
    """Something that sends in real time."""

    def send_due(self, now: float) -> bool:
        """Send everything due at `now`; return False to leave the wheel."""


@dataclass(slots=True)
class PacerCounters:
    """Totals since the pacer was created."""

    ticks: int = 0
    streams_run: int = 0
    late_frames: int = 0
    """Periods run more than LATE_MS late, counted once for each stream in the slot."""
    max_lateness_ms: float = 0.0
    lateness: list[int] = field(default_factory=lambda: [0] * (len(LATENESS_BOUNDS_MS) + 1))
    """Slots run, by lateness; buckets as in LATENESS_BOUNDS_MS."""


class Pacer:
    """The wheel. Times are monotonic seconds."""

    def __init__(self, period_ms: int = 20, slots: int = 4) -> None:
        if period_ms <= 0 or slots <= 0:
            raise LocalProtocolError("period and slots must be positive")
        self.period_s = period_ms / 1000
        self.counters = PacerCounters()
        self.on_wake: Callable[[], None] | None = None
        """Called when the next deadline moves forward, so that the timer can be set anew."""
        self.on_error: Callable[[Due, Exception], None] | None = None
        """Called with a stream that failed and was removed; if unset, the error is raised."""
        self._slots: list[list[Due]] = [[] for _ in range(slots)]
        self._due_s = [0.0] * slots
        self._slot_of: dict[Due, int] = {}

    def __len__(self) -> int:
        return len(self._slot_of)

    def join(self, stream: Due, now: float) -> None:
        """Put `stream` into the slot due next after `now`; no effect when it is on the wheel."""
        if stream in self._slot_of:
            return
        slot, due = self._next_slot(now)
        if not self._slots[slot]:
            self._due_s[slot] = due
        before = self.next_deadline()
        self._slots[slot].append(stream)
        self._slot_of[stream] = slot
        if self.on_wake and (before is None or due < before):
            self.on_wake()

    def _next_slot(self, now: float) -> tuple[int, float]:
        """The slot that comes next on the grid, and when."""
        width = self.period_s / len(self._slots)
        step = int(now / width) + 1
        return step % len(self._slots), step * width

    def leave(self, stream: Due) -> None:
        """Take `stream` off; no effect when it is not on the wheel."""
        slot = self._slot_of.pop(stream, None)
        if slot is not None:
            # A new list: the old one may be what a running tick is going through.
            self._slots[slot] = [other for other in self._slots[slot] if other is not stream]

    def next_deadline(self) -> float | None:
        """When to call `tick` next; None if the wheel is empty."""
        deadline = None
        for members, due in zip(self._slots, self._due_s, strict=True):
            if members and (deadline is None or due < deadline):
                deadline = due
        return deadline

    def tick(self, now: float) -> None:
        """Run every slot due at `now`, each only once however late it is."""
        self.counters.ticks += 1
        for slot, members in enumerate(self._slots):
            due = self._due_s[slot]
            if members and due <= now:
                periods = int((now - due) / self.period_s) + 1
                self._due_s[slot] = due + periods * self.period_s
                self._count(now - due, periods, len(members))
                self._run(members, now)

    def _run(self, members: list[Due], now: float) -> None:
        slot_of = self._slot_of
        for stream in members:
            if stream not in slot_of:
                continue  # an earlier stream of this tick took it off
            try:
                if not stream.send_due(now):
                    self.leave(stream)
            except Exception as error:  # the named boundary between calls
                self.leave(stream)
                if self.on_error is None:
                    raise
                self.on_error(stream, error)

    def _count(self, lateness_s: float, periods: int, streams: int) -> None:
        counters = self.counters
        lateness_ms = lateness_s * 1000
        counters.streams_run += streams
        if lateness_ms > counters.max_lateness_ms:
            counters.max_lateness_ms = lateness_ms
        if lateness_ms > LATE_MS:
            period_ms = self.period_s * 1000
            late = sum(lateness_ms - k * period_ms > LATE_MS for k in range(periods))
            counters.late_frames += late * streams
        for bucket, bound in enumerate(LATENESS_BOUNDS_MS):
            if lateness_ms <= bound:
                counters.lateness[bucket] += 1
                return
        counters.lateness[-1] += 1
