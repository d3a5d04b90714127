"""Business hours as they are stored, read once into minutes and dates. Pure.

Stored is `{"mon": [["08:00", "12:00"], ["13:00", "18:00"]], …, "closed_dates": ["2026-12-25"]}`.
What cannot be read costs its own day or date, not the rest: a day counts as open all day, because
a caller who is answered at the wrong hour is better off than one whom nobody answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from esl_controller.database.hours import MINUTES_A_DAY, BusinessHours, Span
from esl_controller.tenants.checks import PartlyWrong

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_SPANS = 24
MAX_CLOSED_DATES = 400

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ALL_DAY = (Span(0, MINUTES_A_DAY),)


def business_hours(value: Any) -> BusinessHours:
    """Read the column.

    Raises:
        PartlyWrong: some of it could not be read; it carries what could.
        ValueError: it is no object at all.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"is {value!r:.60}, must be a JSON object")
    known = {*WEEKDAYS, "closed_dates"}
    names = ", ".join([*WEEKDAYS, "closed_dates"])
    problems = [f"has {name!r:.30}, which is not one of {names}" for name in value.keys() - known]
    weekly = tuple(_day(name, value.get(name), problems) for name in WEEKDAYS)
    closed = _entries("closed_dates", value.get("closed_dates"), MAX_CLOSED_DATES, _date, problems)
    hours = BusinessHours(weekly, frozenset(closed))
    if problems:
        raise PartlyWrong(sorted(problems), hours)
    return hours


def _day(name: str, value: Any, problems: list[str]) -> tuple[Span, ...]:
    before = len(problems)
    spans = _entries(name, value, MAX_SPANS, _span, problems)
    return tuple(spans) if len(problems) == before else _ALL_DAY


def _entries(
    name: str, value: Any, limit: int, read: Callable[[Any], Any], problems: list[str]
) -> list[Any]:
    """The entries that can be read; what is wrong with the others is added to `problems`."""
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > limit:
        problems.append(f"{name}: must be a JSON list of at most {limit}")
        return []
    entries = []
    for number, entry in enumerate(value, 1):
        try:
            entries.append(read(entry))
        except ValueError as error:
            problems.append(f"{name}, entry {number}: {error}")
    return entries


def _date(value: Any) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # 2026-02-30
    raise ValueError(f"{value!r:.60} is not a date like 2026-12-25")


def _span(value: Any) -> Span:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f'{value!r:.60} is not a begin and an end like ["08:00", "18:00"]')
    begins, ends = _minute(value[0]), _end(value[1])
    if begins == ends:
        whole = '["00:00", "24:00"]'
        raise ValueError(f"begins and ends at {value[0]}; the whole day is {whole}")
    return Span(begins, ends if ends > begins else ends + MINUTES_A_DAY)


def _end(value: Any) -> int:
    return MINUTES_A_DAY if value == "24:00" else _minute(value)


def _minute(value: Any) -> int:
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{value!r:.60} is not a time like 08:00")
    return int(found[1]) * 60 + int(found[2])
