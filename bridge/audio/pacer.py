"""One clock for all audio sent in real time: a timing wheel on absolute deadlines.

The period is cut into slots. A stream joins the slot that is due next and from then on is called
once a period, so that the calls of a worker spread over the period instead of all being due at
once. A late tick is caught up within that tick: a stream is told the time and sends all that has
become due, and the next deadline lies on the same grid as before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bridge.errors import LocalProtocolError

LATE_MS = 40
"""A frame later than this is counted as late: two packets of a phone's jitter buffer."""
REMEMBERED_S = 2.0
"""A late tick is reckoned with for as long as this, and at most for twice as long."""


class Due(Protocol):
    """Something that sends in real time."""

    def send_due(self, now: float) -> bool:
        """Send everything due at `now`; return False to leave the wheel."""


@dataclass(slots=True)
class PacerCounters:
    """Totals since the pacer was created."""

    late_frames: int = 0
    """Periods run more than LATE_MS late, counted once for each stream in the slot."""


class Pacer:
    """The wheel. Times are monotonic seconds."""

    def __init__(self, period_ms: int = 20, slots: int = 8) -> None:
        if period_ms <= 0 or slots <= 0:
            raise LocalProtocolError("period and slots must be positive")
        self.period_s = period_ms / 1000
        self.slot_s = self.period_s / slots
        self.counters = PacerCounters()
        self.on_wake: Callable[[], None] | None = None
        """Called when the next deadline moves forward, so that the timer can be set anew."""
        self.on_error: Callable[[Due, Exception], None] | None = None
        """Called with a stream that failed and was removed; if unset, the error is raised."""
        self._slots: list[list[Due]] = [[] for _ in range(slots)]
        self._due_s = [0.0] * slots
        self.members: dict[Due, tuple[int, ...]] = {}
        """Who is on the wheel, and in which slots: to be looked at, no more."""
        self._late_s = self._late_before_s = 0.0
        """Worst lateness of this stretch of `REMEMBERED_S`, and of the one before."""
        self.lately_s = 0.0
        """`lately_late_s`, as it is before `remember_until`."""
        self.remember_until = 0.0

    def __len__(self) -> int:
        return len(self.members)

    def __contains__(self, stream: Due) -> bool:
        return stream in self.members

    def join(
        self, stream: Due, now: float, *, wanted: float | None = None, twice: bool = False
    ) -> None:
        """Put `stream` into the slot due next after `now`; no effect when it is on the wheel.

        `wanted` is a moment of one of its calls instead: it is called in the last slot before it,
        and whole periods before that. `twice`: it is called twice in a period.
        """
        if stream in self.members:
            return
        width, count = self.slot_s, len(self._slots)
        step = int(now / width) + 1
        if wanted is not None:
            step = max(step, int(wanted / width))
        steps = (step, step + count // 2) if twice and count > 1 else (step,)
        self.members[stream] = tuple(one % count for one in steps)
        begun = [self._put(stream, one, now) for one in steps]
        if self.on_wake and any(begun) and self.next_deadline() in begun:
            self.on_wake()

    def _put(self, stream: Due, step: int, now: float) -> float | None:
        """When the slot of `step` comes next, if nobody else is in it."""
        width, count = self.slot_s, len(self._slots)
        slot = step % count
        members = self._slots[slot]
        members.append(stream)
        if len(members) > 1:
            return None
        while (step - count) * width > now:
            step -= count
        self._due_s[slot] = step * width
        return step * width

    def leave(self, stream: Due) -> None:
        """Take `stream` off; no effect when it is not on the wheel."""
        for slot in self.members.pop(stream, ()):
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
        for slot, members in enumerate(self._slots):
            due = self._due_s[slot]
            if members and due <= now:
                periods = int((now - due) / self.period_s) + 1
                self._due_s[slot] = due + periods * self.period_s
                self._remember(now - due, now)
                if now - due > LATE_MS / 1000:
                    self._count(now - due, periods, len(members))
                self._run(members, now)

    def _run(self, members: list[Due], now: float) -> None:
        on_wheel = self.members
        for stream in members:
            if stream not in on_wheel:
                continue  # an earlier stream of this tick took it off
            try:
                if not stream.send_due(now):
                    self.leave(stream)
            except Exception as error:  # the named boundary between calls
                self.leave(stream)
                if self.on_error is None:
                    raise
                self.on_error(stream, error)

    def lately_late_s(self, now: float) -> float:
        """How late the worst tick of the last seconds was."""
        if now >= self.remember_until:
            self._remember(0.0, now)
        return self.lately_s

    def _remember(self, lateness_s: float, now: float) -> None:
        if now >= self.remember_until:
            fresh = now < self.remember_until + REMEMBERED_S
            self._late_before_s, self._late_s = (self._late_s if fresh else 0.0), 0.0
            self.remember_until = now + REMEMBERED_S
        if lateness_s > self._late_s:
            self._late_s = lateness_s
        self.lately_s = max(self._late_s, self._late_before_s)

    def _count(self, lateness_s: float, periods: int, streams: int) -> None:
        late = sum((lateness_s - k * self.period_s) * 1000 > LATE_MS for k in range(periods))
        self.counters.late_frames += late * streams
