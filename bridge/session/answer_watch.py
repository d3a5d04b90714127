"""Tells when the caller waits in silence for an answer that is owed, and for how long.

Fed a few times a second with how things stand; times are monotonic seconds.
"""

from __future__ import annotations

import enum


class AnswerLate(enum.Enum):
    """What is due."""

    COVER = "cover"
    """Say something: the line has been silent for too long."""
    REPLACE = "replace"
    """The provider owes an answer and will not give it: somebody else must."""


class AnswerWatch:
    """One conversation's wait for answers: covered as often as it is silent, ended once."""

    def __init__(self, *, replace_s: float) -> None:
        self._replace_s = replace_s
        self._waiting_since: float | None = None
        self._owed_since: float | None = None

    def look(self, now: float, *, waiting: bool, owed: bool, cover_s: float) -> AnswerLate | None:
        """Return what is due.

        Args:
            waiting: the caller hears nothing although an answer is expected.
            owed: it is the provider's turn, not a function's of ours, and nothing came of it.
            cover_s: longest silence of this wait.
        """
        self._waiting_since = self._since(self._waiting_since, waiting, now)
        self._owed_since = self._since(self._owed_since, owed, now)
        if self._owed_since is not None and now - self._owed_since >= self._replace_s:
            self._owed_since = None
            return AnswerLate.REPLACE
        if self._waiting_since is None or now - self._waiting_since < cover_s:
            return None
        self._waiting_since = now
        return AnswerLate.COVER

    def _since(self, since: float | None, holds: bool, now: float) -> float | None:
        if not holds:
            return None
        return now if since is None else since
