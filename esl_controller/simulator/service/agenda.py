"""Things to do later, in a session that has no clock of its own."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

Action = Callable[[float], None]


class Appointment:
    """One thing to do; `cancel` makes it not happen."""

    __slots__ = ("action",)

    def __init__(self, action: Action) -> None:
        self.action: Action | None = action

    def cancel(self) -> None:
        """Forget it."""
        self.action = None


class Agenda:
    """Appointments by time; ties keep their order."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Appointment]] = []
        self._sequence = itertools.count()

    def at(self, time: float, action: Action) -> Appointment:
        """Do `action(time)` when `time` has come."""
        appointment = Appointment(action)
        heapq.heappush(self._heap, (time, next(self._sequence), appointment))
        return appointment

    def next_deadline(self) -> float | None:
        """When `run` is wanted."""
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Do everything due. Each action gets the time it was meant for, so paces do not drift."""
        while (due := self.next_deadline()) is not None and due <= now:
            _, _, appointment = heapq.heappop(self._heap)
            if appointment.action is not None:
                appointment.action(due)
