"""Tells when the caller waits in silence for an answer that is due, and for how long.

Looked at a few times a second; times are monotonic seconds.
"""

from __future__ import annotations

import enum

LOOK_S = 0.25
"""How often it is looked at: a silence may have begun so long before it is seen."""


FAULT_COVER_S = 0.4
"""Longest silence once a fault is known: no answer is to be waited for, and words come within
half a second."""


AGAIN_S = 1.2
"""Longest silence behind words of ours: whoever has been told to wait wants to hear more of it."""


class AnswerLate(enum.Enum):
    """What must be done about the wait."""

    COVER = "cover"
    """Say something: the line has been silent for too long."""
    REPLACE = "replace"
    """The provider owes an answer and does not give it: somebody else must."""


class Wait:
    """One conversation's wait for answers: covered as often as it is silent, ended once."""

    def __init__(self, *, replace_s: float) -> None:
        self._replace_s = replace_s
        self._silent_since: float | None = None
        self._stalled_since: float | None = None
        self._fault = self._covered = False
        self.longest_s = 0.0
        """The longest silence in which something was due."""

    def look(
        self, now: float, *, silent: bool, provider_owes: bool, cover_s: float
    ) -> AnswerLate | None:
        """Return what must be done.

        Args:
            silent: the caller hears nothing although something is due.
            provider_owes: the provider is there, and nothing but it is waited for.
            cover_s: longest silence of this wait.
        """
        self._silent_since = _since(self._silent_since, silent, now - LOOK_S)
        if self._silent_since is not None:
            self.longest_s = max(self.longest_s, now - self._silent_since)
        # Once begun, the wait goes on under words of ours: they are no answer.
        begun = provider_owes and (silent or self._stalled_since is not None)
        self._stalled_since = _since(self._stalled_since, begun, now)
        if self._stalled_since is not None and now - self._stalled_since >= self._replace_s:
            self._stalled_since = None
            return AnswerLate.REPLACE
        if self._fault or self._covered:
            cover_s = min(cover_s, FAULT_COVER_S if self._fault else AGAIN_S)
        if self._silent_since is None or now - self._silent_since < cover_s:
            return None
        self._silent_since, self._fault, self._covered = now, False, True
        return AnswerLate.COVER

    def fault(self) -> None:
        """It is known that the answer will be late: its first cover comes soon."""
        self._fault = True

    def answered(self) -> None:
        """An answer is heard."""
        self._fault = self._covered = False

    def progress(self) -> None:
        """The provider did something about it: the wait for it begins anew."""
        self._stalled_since = None


def _since(since: float | None, holds: bool, now: float) -> float | None:
    if not holds:
        return None
    return now if since is None else since
