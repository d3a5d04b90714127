"""FusionPBX's time conditions as hours of opening: a pure translator of their dialplan XML.

A time condition is an extension of the dialplan whose groups each hold `<condition field=
"destination_number"…/>`, then one condition of time attributes with the action of the group; the
last group has no times and is what happens else (FusionPBX, app/time_conditions and
app/dialplans/resources/classes/dialplan.php). The first group that matches decides. What the
attributes mean is FreeSWITCH's switch_xml_std_datetime_check (src/switch_xml.c) and the comparisons
in src/switch_utils.c.

FusionPBX says where a call goes, not whether anybody is there. It is open where the call goes to
the place of a group that names days of the week and times only; a group of dates (a holiday) is
open only if it goes there too. Nothing is open that goes to the place of the last group.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from esl_controller.database.hours import MINUTES_A_DAY, Span
from esl_controller.tenants.checks import PartlyWrong

MAX_XML = 128 * 1024
MAX_GROUPS = 64
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_RANGE = re.compile(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", re.ASCII)
_CLOCKS = re.compile(r"(\d{1,2}):(\d{1,2})(?::\d{1,2})?-(\d{1,2}):(\d{1,2})(?::\d{1,2})?", re.ASCII)
_MINUTES = frozenset(range(MINUTES_A_DAY))


class ServerTime(Protocol):
    """From the clock of the telephone system's host, by which FusionPBX writes a `date-time`, to
    the wall of a zone (None: the secretary's); both naive."""

    def __call__(self, moment: datetime, *, zone: str | None) -> datetime:
        """Translate one moment."""


_ToWall = Callable[[datetime], datetime]


@dataclass(frozen=True, slots=True)
class TimeGroup:
    """One group of a time condition."""

    days: Mapping[str, frozenset[int]]
    """By attribute what it must be: wday, mday, mon, year, yday, week, mweek."""
    minutes: frozenset[int]
    """Of the day."""
    between: tuple[tuple[datetime, datetime], ...]
    """Where not empty: one of these, on the wall."""
    open: bool

    @property
    def weekly(self) -> bool:
        """It names no dates."""
        return not self.between and self.days.keys() <= {"wday"}

    def is_on(self, values: Mapping[str, int]) -> bool:
        """Whether it can match at all on a date with these values."""
        return all(values[name] in wanted for name, wanted in self.days.items())

    def matched(self, day: date) -> frozenset[int]:
        """The minutes at which it matches on a date it is on."""
        if not self.between:
            return self.minutes
        midnight = datetime(day.year, day.month, day.day)
        within = (
            range(_minute(begins, midnight), _minute(ends, midnight))
            for begins, ends in self.between
        )
        return self.minutes.intersection(minute for one in within for minute in one)


@dataclass(frozen=True, slots=True)
class TimeCondition:
    """One time condition; hours as `BusinessHours` are."""

    groups: tuple[TimeGroup, ...]
    time_zone: str | None = None
    """Its own, over the secretary's."""
    _known: dict[tuple[int, ...], Sequence[Span]] = field(
        default_factory=dict, compare=False, repr=False
    )
    """By the groups that are on: a year has few different days."""
    _usual: dict[int, Sequence[Span]] = field(default_factory=dict, compare=False, repr=False)
    """By the day of the week."""
    _special: list[TimeGroup] = field(default_factory=list, compare=False, repr=False)
    """Those that name dates."""

    def __post_init__(self) -> None:
        self._special.extend(group for group in self.groups if not group.weekly)

    def on(self, day: date) -> Sequence[Span]:
        """The times it is open on a date."""
        if self._special:
            values = _values(day)
            if any(group.is_on(values) for group in self._special):
                return self._spans(day, [one for one in self.groups if one.is_on(values)])
        return self.usual(day)

    def usual(self, day: date) -> Sequence[Span]:
        """The times it would be open if nothing were special about the date."""
        known = self._usual.get(day.weekday())
        if known is None:
            values = _values(day)
            on = [group for group in self.groups if group.weekly and group.is_on(values)]
            known = self._usual[day.weekday()] = self._spans(day, on)
        return known

    def _spans(self, day: date, on: Sequence[TimeGroup]) -> Sequence[Span]:
        if any(group.between for group in on):
            return _open(on, day)
        key = tuple(map(id, on))
        if key not in self._known:
            self._known[key] = _open(on, day)
        return self._known[key]


def read_time_condition(xml: str, server_time: ServerTime) -> TimeCondition:
    """Translate `v_dialplans.dialplan_xml`.

    Raises:
        PartlyWrong: groups that could not be read are left out; it carries the rest.
        ValueError: it is no time condition at all.
    """
    problems: list[str] = []
    read: list[tuple[TimeGroup, str, bool]] = []
    otherwise = zone = ""
    for number, (times, actions) in enumerate(_groups(xml), 1):
        zone = actions.get("timezone", zone)
        place = actions.get("", "")
        if not times:
            otherwise = place or otherwise
            continue
        try:
            group = _group(times, partial(server_time, zone=_zone(zone, [])))
        except ValueError as error:
            problems.append(f"group {number} {error}, and is left out")
            continue
        read.append((group, place, "preset" in actions))
    if not read:
        problems.append("names no times")
        raise ValueError("; ".join(problems))
    condition = TimeCondition(tuple(_decided(read, otherwise)), _zone(zone, problems))
    if problems:
        raise PartlyWrong(problems, condition)
    return condition


def _decided(read: Sequence[tuple[TimeGroup, str, bool]], otherwise: str) -> Iterable[TimeGroup]:
    weekly = {place for group, place, holiday in read if group.weekly and not holiday}
    reached = (weekly or {place for _, place, holiday in read if not holiday}) - {otherwise}
    for group, place, holiday in read:
        is_open = place in reached and not holiday
        yield TimeGroup(group.days, group.minutes, group.between, is_open)


def _groups(xml: str) -> Iterable[tuple[dict[str, str], dict[str, str]]]:
    """Time attributes and actions of each condition; what it sets by its name, else by ''."""
    if len(xml) > MAX_XML or "<!" in xml:
        raise ValueError("is too long, or has declarations")
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise ValueError(f"is no XML: {error}") from None
    conditions = list(root.iter("condition"))
    if len(conditions) > 2 * MAX_GROUPS:
        raise ValueError(f"has more than {MAX_GROUPS} groups")
    for condition in conditions:
        times = {name: value for name, value in condition.attrib.items() if name not in _NO_TIME}
        actions: dict[str, str] = {}
        for action in condition.iter("action"):
            application, data = action.get("application", ""), action.get("data", "")
            name, _, value = data.partition("=")
            if application == "set":
                actions[name] = value
            else:
                actions.setdefault("", f"{application} {data}")
        if times or actions:
            yield times, actions


_NO_TIME = frozenset(("field", "expression", "break", "regex", "require-nested"))


def _group(times: Mapping[str, str], server_time: _ToWall) -> TimeGroup:
    days: dict[str, frozenset[int]] = {}
    minutes = _MINUTES
    between: tuple[tuple[datetime, datetime], ...] = ()
    for name, text in times.items():
        if name == "date-time":
            between = tuple(_between(text, server_time))
        elif name in _CLOCK:
            minutes &= _CLOCK[name](text)
        elif name in _DAY:
            low, high = _DAY[name]
            days[name] = _numbers(_named(text) if name == "wday" else text, low, high)
        else:
            raise ValueError(f"asks for {name!r:.30}, which is not understood")
    return TimeGroup(days, minutes, between, open=False)


def _numbers(text: str, low: int, high: int) -> frozenset[int]:
    """`1,3-5`; a range that is written backwards goes round (switch_number_cmp)."""
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise ValueError(f"has {text!r:.40}, which are no numbers")
        first, last = int(match[1]), int(match[2] or match[1])
        if first <= last:
            found.update(range(max(first, low), min(last, high) + 1))
        else:
            found.update(range(low, min(last, high) + 1), range(max(first, low), high + 1))
    return frozenset(found)


def _named(text: str) -> str:
    """Days of the week by their numbers, Sunday is 1 (switch_dow_cmp)."""
    for number, name in enumerate(_WEEKDAYS, 1):
        text = re.sub(rf"\b{name}[a-z]*", str(number), text, flags=re.IGNORECASE)
    return text


def _clocks(text: str) -> frozenset[int]:
    """`08:00-12:00,13:00-18:00`; the second at which it ends is not a minute of it."""
    found: set[int] = set()
    for part in text.split(","):
        match = _CLOCKS.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"has {text!r:.40}, which are no times such as 08:00-18:00")
        begins, ends = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        later = range(begins, ends) if begins <= ends else range(begins, MINUTES_A_DAY)
        found.update(later, range(0) if begins <= ends else range(ends))
    return frozenset(found) & _MINUTES


_CLOCK: Mapping[str, Callable[[str], frozenset[int]]] = {
    "time-of-day": _clocks,
    # FreeSWITCH counts the minutes of a day from 1.
    "minute-of-day": lambda text: frozenset(n - 1 for n in _numbers(text, 1, MINUTES_A_DAY)),
    "hour": lambda text: frozenset(n * 60 + m for n in _numbers(text, 0, 23) for m in range(60)),
    "minute": lambda text: frozenset(h * 60 + n for n in _numbers(text, 0, 59) for h in range(24)),
}
_DAY: Mapping[str, tuple[int, int]] = {
    "year": (1970, 9999),
    "yday": (1, 366),
    "mon": (1, 12),
    "mday": (1, 31),
    "week": (1, 53),
    "mweek": (1, 6),
    "wday": (1, 7),
}


def _values(day: date) -> Mapping[str, int]:
    """What each attribute is on a date."""
    of_year, of_week = day.timetuple().tm_yday, day.isoweekday() % 7
    first = (7 - (day.day - (of_week + 1)) % 7) % 7
    return {
        "year": day.year,
        "yday": of_year,
        "mon": day.month,
        "mday": day.day,
        "week": (of_year - 1) // 7 + 1,
        "mweek": -(-(day.day + first) // 7),
        "wday": of_week + 1,
    }


def _between(text: str, server_time: _ToWall) -> Iterable[tuple[datetime, datetime]]:
    for part in text.split(","):
        begins, _, ends = part.partition("~")
        try:
            moments = [datetime.fromisoformat(one.strip()) for one in (begins, ends)]
        except ValueError:
            raise ValueError(f"has {text!r:.60}, which are no dates and times") from None
        if any(one.tzinfo is not None for one in moments):
            raise ValueError(f"has {text!r:.60}, with a zone")
        yield server_time(moments[0]), server_time(moments[1])


def _minute(moment: datetime, midnight: datetime) -> int:
    """Of a day, at most its first or its last. What begins within a minute begins with it."""
    passed = (moment - midnight) // timedelta(minutes=1)
    return min(max(passed, 0), MINUTES_A_DAY)


def _open(groups: Iterable[TimeGroup], day: date) -> Sequence[Span]:
    undecided, found = set(_MINUTES), set[int]()
    for group in groups:
        matched = undecided & group.matched(day)
        undecided -= matched
        if group.open:
            found |= matched
    return _spans(sorted(found))


def _spans(minutes: Sequence[int]) -> Sequence[Span]:
    """Of minutes in order."""
    if not minutes:
        return ()
    breaks = [n for n in range(1, len(minutes)) if minutes[n] != minutes[n - 1] + 1]
    pieces = zip([0, *breaks], [*breaks, len(minutes)], strict=True)
    return [Span(minutes[first], minutes[after - 1] + 1) for first, after in pieces]


def _zone(name: str, problems: list[str]) -> str | None:
    if not name:
        return None
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        problems.append(f"has the time zone {name!r:.40}, which is none; the secretary's is used")
        return None
