"""Hours of opening, as they are compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Span:
    """Open from one minute of a day to another, the second not included."""

    begins: int
    """Minutes since midnight."""
    ends: int
    """Minutes since the same midnight: more than MINUTES_A_DAY where it goes on past the next."""


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """When a secretary answers. A span belongs to the day it begins on, to its very end."""

    weekly: tuple[tuple[Span, ...], ...]
    """Seven days, Monday first."""
    closed_dates: frozenset[date] = frozenset()
    """No span begins on these."""
