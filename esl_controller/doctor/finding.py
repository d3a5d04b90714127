"""What a look at one thing found, and what to do about it."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable
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


def failures_told(report: str) -> frozenset[str]:
    """Names of the checks that had failed in what `doctor --json` printed earlier, of this version
    or an older one. Raises ValueError where it is no such report."""
    try:
        rows = json.loads(report)["findings"]
        return frozenset(row["check"] for row in rows if row["state"] == State.FAILED.value)
    except (KeyError, TypeError) as error:
        raise ValueError("it is no report of `doctor --json`") from error


def new_failures(findings: Iterable[Finding], known: frozenset[str]) -> list[str]:
    """Names of the checks that fail now and are not among `known`, as they come."""
    failed_now = (one.check for one in findings if one.state is State.FAILED)
    return list(dict.fromkeys(name for name in failed_now if name not in known))
