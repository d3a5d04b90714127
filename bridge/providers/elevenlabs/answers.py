"""ElevenLabs Agents: which answer a numbered event belongs to, what is cut off, and what is over.

Every event has a number that never falls; the service does not say whether the pieces of one
answer share it, and nothing says that an answer is over. So a higher number begins a new answer
only once something has parted the two, and an answer is over when nothing has come for a while.
"""

from __future__ import annotations

from dataclasses import dataclass

QUIET_S = 0.6
"""No audio for so long: the answer is over. The service sends faster than it speaks."""
VOICE_WAIT_S = 3.0
"""Words, or a call of a function, and no sound for so long: there will be none."""
MAX_NUMBERS = 256
"""Event numbers that are remembered."""


@dataclass(slots=True)
class Answer:
    """One answer of the agent; its first event's number is its name."""

    number: int
    last: int
    has_words: bool = False
    sounded: bool = False
    called: bool = False
    """It called a function."""

    @property
    def response_id(self) -> str:
        """As the session knows it."""
        return str(self.number)

    @property
    def item_id(self) -> str:
        """Caller and agent share numbers: their items must not."""
        return f"agent-{self.number}"


class Answers:
    """All answers of one conversation; only the last one grows."""

    def __init__(self) -> None:
        self.quiet_at: float | None = None
        """When the answer under way counts as over."""
        self._current: Answer | None = None
        self._parted = False
        """What comes next under a new number is another answer."""
        self._cut_at = -1
        self._of: dict[int, Answer] = {}

    @property
    def current(self) -> Answer | None:
        """The answer under way, or the last one."""
        return self._current

    def is_cut(self, number: int) -> bool:
        """Whether audio of this number is not wanted any more."""
        return number <= self._cut_at

    def find(self, number: int) -> Answer | None:
        """The answer an earlier event of this number belonged to."""
        return self._of.get(number)

    def place(self, number: int | None) -> tuple[Answer, bool]:
        """The answer an event belongs to, and whether it begins with it."""
        answer = self._current
        if number is None:
            number = answer.last if answer is not None and not self._parted else self._next()
        known = self._of.get(number)
        if known is not None:
            return known, False
        began = answer is None or self._parted
        if answer is None or began:
            answer = self._current = Answer(number, number)
            self._parted = False
        answer.last = max(answer.last, number)
        self._of[number] = answer
        while len(self._of) > MAX_NUMBERS:
            del self._of[next(iter(self._of))]
        return answer, began

    def goes_on(self, number: int, until: float) -> Answer | None:
        """The answer under way, if an event of this number is of it and more is to come until then,
        which is no sooner than was expected; else None, and nothing is changed."""
        answer = self._current
        if answer is None or self.quiet_at is None or self.quiet_at > until:
            return None
        if self._parted or number <= self._cut_at or self._of.get(number) is not answer:
            return None
        self.quiet_at = until
        return answer

    def _next(self) -> int:
        """A number for an event without one."""
        last = self._current.last if self._current is not None else 0
        return max(last, self._cut_at) + 1

    def part(self) -> None:
        """The caller has spoken, or the agent says something else."""
        self._parted = True

    def expect(self, until: float) -> None:
        """More of the answer is to come before then."""
        self.quiet_at = until

    def interrupted(self, number: int) -> Answer | None:
        """The service dropped what has a number up to this one; return the answer that was cut."""
        cut = self._current
        self._cut_at = max(self._cut_at, number)
        if cut is None or cut.number > number:
            return None
        self.cut()
        return cut

    def cut(self) -> None:
        """What still comes of the last answer is not wanted."""
        if self._current is not None:
            self._cut_at = max(self._cut_at, self._current.last)
        self._parted = True
        self.quiet_at = None

    def over(self, now: float) -> Answer | None:
        """The answer that has just ended by being quiet, if it has."""
        if self.quiet_at is None or now < self.quiet_at:
            return None
        self.quiet_at = None
        self._parted = True
        return self._current
