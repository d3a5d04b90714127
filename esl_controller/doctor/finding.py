"""What a look at one thing found, and what to do about it."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass
from typing import Any


class State(enum.Enum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Works; something better is possible."""
    WARNING = "warning"
    """Works now; will hurt."""
    FAILED = "failed"
    """Calls cannot be answered."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    check: str
    state: State
    detail: str
    advice: str = ""
    """What to do; empty when nothing is to be done."""

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        return {**asdict(self), "state": self.state.value}


def ok(check: str, detail: str) -> Finding:
    """All is well."""
    return Finding(check, State.OK, detail)


def note(check: str, detail: str, advice: str) -> Finding:
    """Could be better."""
    return Finding(check, State.NOTE, detail, advice)


def warning(check: str, detail: str, advice: str) -> Finding:
    """Will hurt."""
    return Finding(check, State.WARNING, detail, advice)


def failed(check: str, detail: str, advice: str) -> Finding:
    """Must be mended."""
    return Finding(check, State.FAILED, detail, advice)
