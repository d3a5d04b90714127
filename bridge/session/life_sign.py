"""Notices a provider that is connected and dead: the caller speaks, and nothing at all comes back.

A provider that hears a voice tells so within a fraction of a second. When it says nothing, it is
asked for a sign of life that costs it nothing, and given up when that does not come either. So
noise that a provider rightly ignores costs one small message. Times are monotonic seconds.
"""

from __future__ import annotations

import enum

REPLY_S = 1.0
"""From the question to any message: several round trips around the world."""
LATE_S = 0.4
"""From the question on; by then most would have answered, and the caller is told to wait."""
PAUSE_S = 2.0
"""After a sign of life the provider is not asked again for so long."""


class LifeAction(enum.Enum):
    """What must be done."""

    ASK = "ask"
    """Ask for a sign of life."""
    ALIVE = "alive"
    """It came, and was asked for."""
    LATE = "late"
    """It has not come yet: whoever has spoken waits already."""
    DEAD = "dead"
    """It did not come."""


class LifeSign:
    """One provider connection. `received` is the number of messages it has sent so far."""

    def __init__(self) -> None:
        self.notices_within_s: float | None = None
        """From a change in the caller's voice to a message (`Capabilities.notices_within_s`)."""
        self._received = 0
        self.due: float | None = None
        """By when a message must have come; None: there is nothing to look at."""
        self._asked = self._late = False
        self._not_before = 0.0

    def voice_changed(self, now: float, received: int) -> None:
        """The caller began to speak, or stopped: the provider should have something to say."""
        if self.notices_within_s is None:
            return
        if self.due is None and now >= self._not_before:
            self.due = now + self.notices_within_s
            self._received = received

    def look(self, now: float, received: int) -> LifeAction | None:
        """Return what must be done; to be called a few times a second."""
        if self.due is None:
            return None
        if received != self._received:
            asked = self._asked
            self._not_before = now + PAUSE_S if asked else 0.0
            self.forget()
            return LifeAction.ALIVE if asked else None
        if now < self.due:
            if self._asked and not self._late and now >= self.due - REPLY_S + LATE_S:
                self._late = True
                return LifeAction.LATE
            return None
        if self._asked:
            self.forget()
            return LifeAction.DEAD
        self._asked = True
        self.due = now + REPLY_S
        return LifeAction.ASK

    def forget(self) -> None:
        """Nothing is awaited any more: the connection is another one."""
        self.due = None
        self._asked = self._late = False
