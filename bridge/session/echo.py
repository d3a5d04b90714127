"""Breaks the loop of an agent that is interrupted by its own voice, coming back from the line.

Times are monotonic seconds.
"""

from __future__ import annotations

QUICK_S = 1.0
"""An echo interrupts an answer within this time of its first sound."""
MAX_QUICK = 3
"""Interruptions in a row that may be a caller's."""


class EchoGuard:
    """Counts interruptions that look like an echo."""

    def __init__(self) -> None:
        self.suspected = False
        """The next answer is to be heard to its end, whatever comes back from the line."""
        self._began_at: float | None = None
        self._quick = 0

    def answer_began(self, now: float) -> None:
        """Its first sound left for the caller."""
        self._began_at = now

    def answer_over(self) -> None:
        """It was heard to its end."""
        self._began_at = None
        self._quick = 0
        self.suspected = False

    def interrupted(self, now: float, voice_began_at: float | None) -> None:
        """The agent was cut off. `voice_began_at`: since when our ear hears a voice, if it does.

        A voice that was there before ours cannot be its echo.
        """
        began_at, self._began_at = self._began_at, None
        if began_at is None:
            return
        ours = voice_began_at is not None and voice_began_at >= began_at
        self._quick = self._quick + 1 if ours and now - began_at <= QUICK_S else 0
        self.suspected = self._quick >= MAX_QUICK
