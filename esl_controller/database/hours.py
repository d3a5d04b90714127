"""Hours of opening, as they are compared."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Span:
    """Open from one minute of a day to another, the second not included."""

    begins: int
    """Minutes since midnight."""
    ends: int
    """Minutes since the same midnight: more than MINUTES_A_DAY where it goes on past the next."""


class Hours(Protocol):
    """When somebody is there."""

    def on(self, day: date) -> Sequence[Span]:
        """The times that begin on a date."""

    def usual(self, day: date) -> Sequence[Span]:
        """The same if nothing were special about the date."""


class ZonedHours(Hours, Protocol):
    """Hours that may have a zone of their own."""

    @property
    def time_zone(self) -> str | None:
        """Over the secretary's and the tenant's."""


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """When a secretary answers. A span belongs to the day it begins on, to its very end."""

    weekly: tuple[tuple[Span, ...], ...]
    """Seven days, Monday first."""
    closed_dates: frozenset[date] = frozenset()
    """No span begins on these."""

    def on(self, day: date) -> Sequence[Span]:
        """None on a closed date."""
        return () if day in self.closed_dates else self.usual(day)

    def usual(self, day: date) -> Sequence[Span]:
        """Those of the day of the week."""
        return self.weekly[day.weekday()]


class Reason(enum.Enum):
    """Why it is open or closed."""

    NO_HOURS = "no_hours"
    """None are set: always open."""
    IN_HOURS = "in_hours"
    OUT_OF_HOURS = "out_of_hours"
    CLOSED_DATE = "closed_date"
    """Hours of the week would be open, on any other date."""


@dataclass(frozen=True, slots=True)
class Opening:
    """The answer for one moment. The times are aware, in the tenant's zone."""

    at: datetime
    """The moment."""
    open: bool
    reason: Reason
    changes_at: datetime | None = None
    """When it closes, or opens; None: not within the next 370 days."""
    next_open_at: datetime | None = None
    """When it opens next after the present hours, or after now while closed; None: not within
    the next 370 days."""
