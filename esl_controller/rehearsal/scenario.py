"""What a rehearsal is: who calls, what they say, and what must come of it. Pure data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Pattern:
    """Words that are looked for; between slashes they are a regular expression."""

    written: str

    def found_in(self, text: str) -> bool:
        """Whatever its capitals and blanks. Words must be there as written."""
        if is_expression(self.written):
            return re.search(self.written[1:-1], text, re.IGNORECASE) is not None
        return " ".join(self.written.casefold().split()) in " ".join(text.casefold().split())


def is_expression(written: str) -> bool:
    """`/…/`."""
    return len(written) > 2 and written[0] == written[-1] == "/"


@dataclass(frozen=True, slots=True)
class WantedCall:
    """A function of the AI's, with arguments that must be among those it gives."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Emulated:
    """What an emulated model does after a line of the caller's: it understands nothing."""

    says: str = ""
    told: str = ""
    """It does so only where these words are in its instructions, or in its functions."""
    calls: Sequence[WantedCall] = ()
    then: str = ""
    """Said when the functions have returned."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing the caller does, once the agent has been silent for a while."""

    says: str = ""
    wav: str = ""
    presses: str = ""
    pause_s: float | None = None
    """How long the agent must have been silent; None: as is usual with the provider."""
    interrupts_after_s: float | None = None
    """Instead: when the agent has been speaking for so long."""
    emulated: Emulated = field(default_factory=Emulated)


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of a call. What is not named is not looked at."""

    said: Sequence[Pattern] = ()
    not_said: Sequence[Pattern] = ()
    asked: Sequence[Pattern] = ()
    """In a question of the agent's."""
    calls: Sequence[WantedCall] = ()
    """In this order; others may be between them."""
    not_called: Sequence[str] = ()
    outcome: str = ""
    """Of the conversation; empty: the call is served to its end, whatever that is."""
    goes_to: str = ""
    """The extension the caller is connected to."""
    greets_within_s: float | None = None
    answers_within_s: float | None = None
    lasts_at_most_s: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One call."""

    name: str
    lines: Sequence[Line]
    expect: Expected
    caller_name: str = "Caller"
    caller_number: str = "5551000"
    secretary: Mapping[str, Any] = field(default_factory=dict)
    """Columns that are different in this call."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One file."""

    source: str
    language: str
    """Of the caller's words."""
    company: str
    secretary: Mapping[str, Any]
    """Columns of its row."""
    scenarios: Sequence[Scenario]
