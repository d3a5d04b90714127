"""Timers of a conversation: a silent caller, and the longest allowed call.

They move on speech events only, never on frames: silence arrives as 50 frames a second too.
"""

from __future__ import annotations

import enum


class WatchAction(enum.Enum):
    """What is due."""

    ASK = "ask"
    """Ask the silent caller once whether they are still there."""
    GIVE_UP = "give_up"
    """Still silent: say good-bye."""
    TIME_UP = "time_up"
    """The call has lasted as long as it may."""


class ConversationWatch:
    """Tells when the caller has been silent too long, or the call has lasted too long."""

    def __init__(self, now: float, *, silence_s: float, give_up_s: float, max_s: float) -> None:
        self._silence_s = silence_s
        self._give_up_s = give_up_s
        self._end_at: float | None = now + max_s
        self._silent_at: float | None = None
        self._asked = False

    def floor_open(self, now: float) -> None:
        """The agent has been heard to its end: now it is the caller's turn."""
        self._silent_at = now + (self._give_up_s if self._asked else self._silence_s)

    def floor_taken(self) -> None:
        """The agent speaks, or an answer is on its way."""
        self._silent_at = None

    def caller_active(self) -> None:
        """The caller spoke or pressed a digit."""
        self._silent_at = None
        self._asked = False

    def next_deadline(self) -> float | None:
        """The earliest moment at which `handle_timeout` has something to say."""
        times = [t for t in (self._silent_at, self._end_at) if t is not None]
        return min(times, default=None)

    def handle_timeout(self, now: float) -> WatchAction | None:
        """Return what is due at `now`; each thing is told once."""
        if self._end_at is not None and now >= self._end_at:
            self._end_at = self._silent_at = None
            return WatchAction.TIME_UP
        if self._silent_at is None or now < self._silent_at:
            return None
        self._silent_at = None
        if self._asked:
            return WatchAction.GIVE_UP
        self._asked = True
        return WatchAction.ASK
