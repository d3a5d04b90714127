"""Notices a provider that does not hear the caller, where nothing obliges it to tell.

A provider that finds turns by itself and tells of none may be right to say nothing: it took what
it heard for noise. So the caller is asked to say it again, as somebody would who did not
understand; and one that says nothing about the second sentence either is replaced. Times are
monotonic seconds.
"""

from __future__ import annotations

import enum

SENTENCE_S = 0.7
"""A shorter voice may be a cough."""
ANSWER_S = 1.5
"""From the end of a sentence to any sign that it was heard: looked at four times a second, the
caller is not alone for two seconds."""


class Unheard(enum.Enum):
    """What must be done."""

    ASK_AGAIN = "ask_again"
    """Have the caller say it again."""
    REPLACE = "replace"
    """Somebody else must listen."""


class DeafWatch:
    """One conversation. `told` is the number of events the provider has told so far."""

    def __init__(self) -> None:
        self._began: tuple[float, int] | None = None
        self.ended_at: float | None = None
        """Of a sentence; None: there is nothing to look at."""
        self._told = 0
        self._asked_at_told: int | None = None

    def voice_began(self, now: float, told: int) -> None:
        """The caller speaks, by our ear."""
        self._began, self.ended_at = (now, told), None

    def voice_ended(self, now: float) -> None:
        """The caller has spoken, by our ear; at `now`."""
        began, self._began = self._began, None
        if began is not None and now - began[0] >= SENTENCE_S:
            self.ended_at, self._told = now, began[1]

    def look(self, now: float, told: int) -> Unheard | None:
        """Return what must be done; to be called a few times a second."""
        if self.ended_at is None or now - self.ended_at < ANSWER_S:
            return None
        self.ended_at = None
        if told != self._told:
            return None
        again, self._asked_at_told = self._asked_at_told == told, told
        return Unheard.REPLACE if again else Unheard.ASK_AGAIN

    def forget(self) -> None:
        """The provider is another one."""
        self._began = self.ended_at = self._asked_at_told = None
