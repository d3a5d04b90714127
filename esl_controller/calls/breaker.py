"""A circuit breaker: whether one provider of one tenant is worth trying, as a table and a clock.

Failures in a row, without an answer heard in between, are counted over a window: one call that
fails among a hundred that are well opens nothing. Times are monotonic seconds.
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass

from bridge.state_table import StateTable


class BreakerState(enum.Enum):
    """What calls may do with a provider."""

    CLOSED = "closed"
    """It is tried."""
    OPEN = "open"
    """It is passed over."""
    HALF_OPEN = "half_open"
    """One call tries it; the others pass it over until they know."""


class BreakerEvent(enum.Enum):
    """What moves it."""

    FAILED = "failed"
    TRIPPED = "tripped"
    """It failed too often."""
    WAITED = "waited"
    HEARD = "heard"
    """A caller heard an answer of a new connection: only that is proof of health."""


_S, _E = BreakerState, BreakerEvent

BREAKER_TABLE = StateTable[BreakerState, BreakerEvent](
    _S.CLOSED,
    {
        _S.CLOSED: {_E.FAILED: _S.CLOSED, _E.TRIPPED: _S.OPEN, _E.HEARD: _S.CLOSED},
        _S.OPEN: {_E.FAILED: _S.OPEN, _E.WAITED: _S.HALF_OPEN, _E.HEARD: _S.CLOSED},
        _S.HALF_OPEN: {_E.FAILED: _S.OPEN, _E.HEARD: _S.CLOSED},
    },
)


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When it opens, and for how long."""

    failures: int = 5
    """In a row, within the window; 0: it never opens."""
    window_s: float = 60.0
    open_s: float = 30.0


class Breaker:
    """One provider of one tenant."""

    def __init__(self, limits: BreakerLimits) -> None:
        self.state = BREAKER_TABLE.initial
        self._limits = limits
        self._failures: deque[float] = deque(maxlen=max(1, limits.failures))
        self._until = 0.0
        """OPEN: of the pause. HALF_OPEN: of the try under way."""

    @property
    def failures(self) -> int:
        """In a row, as far as they are remembered."""
        return len(self._failures)

    def admit(self, now: float) -> bool:
        """Whether it may be tried now. In HALF_OPEN a yes is for one try."""
        if self.state is BreakerState.OPEN and now >= self._until:
            self._move(BreakerEvent.WAITED)
        if self.state is not BreakerState.HALF_OPEN:
            return self.state is BreakerState.CLOSED
        if now < self._until:
            return False
        self._until = now + self._limits.open_s  # a try that tells nothing is followed by another
        return True

    def failed(self, now: float) -> bool:
        """It could not be reached, broke, or was of no use; True: with this it opened."""
        if not self._limits.failures:
            return False
        self._failures.append(now)
        oldest_counts = now - self._failures[0] <= self._limits.window_s
        full = len(self._failures) == self._failures.maxlen
        closed = self.state is BreakerState.CLOSED
        if closed and not (full and oldest_counts):
            self._move(BreakerEvent.FAILED)
            return False
        if self.state is BreakerState.OPEN:
            self._move(BreakerEvent.FAILED)  # a conversation from before: the pause stays
            return False
        self._until = now + self._limits.open_s
        self._move(BreakerEvent.TRIPPED if closed else BreakerEvent.FAILED)
        return True

    def heard(self) -> None:
        """It is well."""
        self._failures.clear()
        self._until = 0.0
        self._move(BreakerEvent.HEARD)

    def tried_in_s(self, now: float) -> float:
        """Until a call may try it; 0: the next one may."""
        return 0.0 if self.state is BreakerState.CLOSED else max(0.0, self._until - now)

    def _move(self, event: BreakerEvent) -> None:
        self.state = BREAKER_TABLE.next(self.state, event)
