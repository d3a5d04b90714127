"""Timers of a conversation: a silent caller, and the longest allowed call.

They move on speech events only, never on frames: silence arrives as 50 frames a second too.
"""

from __future__ import annotations

import enum


class SilenceAction(enum.Enum):
    """What must be done."""

    ASK = "ask"
    """Ask the silent caller once whether they are still there."""
    GIVE_UP = "give_up"
    """Still silent: say good-bye."""
    TIME_UP = "time_up"
    """The call has lasted as long as it may."""


class SilenceWatch:
    """Tells when the caller has been silent too long, or the call has lasted too long."""

    def __init__(
        self, now: float, *, silence_s: float, give_up_s: float, max_s: float, longest_s: float
    ) -> None:
        """`max_s` stands still on hold, `longest_s` only while a human is rung."""
        self._silence_s = silence_s
        self._give_up_s = give_up_s
        self._end_at: float | None = now + max_s
        self._latest = now + longest_s
        self._silent_at: float | None = None
        self._asked = False
        self._held_at: float | None = None
        self._promised = False

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

    def promised(self, waits: bool) -> None:
        """The caller waits for a human, who is rung for a bounded time: even `longest_s` waits."""
        self._promised = waits

    def hold(self, now: float) -> None:
        """Time stands still."""
        self._held_at = now if self._held_at is None else self._held_at

    def resume(self, now: float) -> None:
        """Time goes on."""
        if self._held_at is None:
            return
        held_s, self._held_at = self._held_s(now), None
        if self._silent_at is not None:
            self._silent_at += held_s
        if self._end_at is not None:
            self._end_at += held_s

    def _held_s(self, now: float) -> float:
        return 0.0 if self._held_at is None else now - self._held_at

    def handle_timeout(self, now: float) -> SilenceAction | None:
        """Return what must be done at `now`; each thing is told once."""
        if self._promised:
            return None
        if self._end_at is not None and now >= min(self._end_at + self._held_s(now), self._latest):
            self._end_at = self._silent_at = None
            return SilenceAction.TIME_UP
        if self._held_at is not None:
            return None
        if self._silent_at is None or now < self._silent_at:
            return None
        self._silent_at = None
        if self._asked:
            return SilenceAction.GIVE_UP
        self._asked = True
        return SilenceAction.ASK
