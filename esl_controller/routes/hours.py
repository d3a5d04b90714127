"""Whether a secretary is open, why, and until when: by the clock on the tenant's wall. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from esl_controller.database.hours import Hours, Opening, Reason, Span
from esl_controller.database.models import RouteEntry

HORIZON_DAYS = 370
"""How far ahead is looked: past every closed date of a year."""
PAUSE_DAYS = 4
"""Looked at in one go: what is always open, or never, is looked at to the end."""
Pause = Callable[[], object]


def _on() -> None:
    """Nobody waits."""


def opening_of(entry: RouteEntry, now: datetime, pause: Pause = _on) -> Opening:
    """Whether a number is open at `now` (aware), by its time condition or its own hours.

    `pause` is called every now and then where it takes longer.
    """
    zone = entry.secretary.time_zone or entry.tenant.time_zone
    condition = entry.time_condition
    if condition is not None:
        return opening(condition, condition.time_zone or zone, now, pause)
    return opening(entry.secretary.business_hours, zone, now, pause)


def opening(hours: Hours | None, time_zone: str, now: datetime, pause: Pause = _on) -> Opening:
    """Look at the hours at `now` (aware).

    Hours are wall-clock times: a night when clocks change has an hour more or less in them.
    """
    zone = ZoneInfo(time_zone)
    at = now.astimezone(zone)
    if hours is None:
        return Opening(at, True, Reason.NO_HOURS)
    wall = at.replace(tzinfo=None)
    stretches = (one for one in _stretches(hours, wall, pause) if one[1] > wall)
    begins, ends = next(stretches, (None, None))
    if begins is None or ends is None:
        return Opening(at, False, _why_closed(hours, wall, pause))
    if begins > wall:
        begins = begins.replace(tzinfo=zone)
        return Opening(at, False, _why_closed(hours, wall, pause), begins, begins)
    later = next(stretches, None)
    forever = ends - wall > timedelta(days=HORIZON_DAYS - 1)
    closes = None if forever else ends.replace(tzinfo=zone)
    opens = later[0].replace(tzinfo=zone) if later is not None else None
    return Opening(at, True, Reason.IN_HOURS, closes, opens)


def _stretches(hours: Hours, wall: datetime, pause: Pause) -> Iterator[tuple[datetime, datetime]]:
    """Begin and end of each time it is open from yesterday on, in order; touching ones joined."""
    current: tuple[datetime, datetime] | None = None
    for begins, ends in _spans(hours, wall, pause):
        if current is not None and begins <= current[1]:
            current = (current[0], max(current[1], ends))
        else:
            if current is not None:
                yield current
            current = (begins, ends)
    if current is not None:
        yield current


def _spans(
    hours: Hours, wall: datetime, pause: Pause, *, mind_dates: bool = True
) -> Iterator[tuple[datetime, datetime]]:
    """Every span by its begin. No span is longer than a day, so yesterday's are the oldest."""
    today = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    for offset in range(-1, HORIZON_DAYS):
        if offset % PAUSE_DAYS == PAUSE_DAYS - 1:
            pause()
        day = today + timedelta(days=offset)
        spans = hours.on(day.date()) if mind_dates else hours.usual(day.date())
        for span in sorted(spans, key=_begins) if len(spans) > 1 else spans:
            yield day + timedelta(minutes=span.begins), day + timedelta(minutes=span.ends)


def _begins(span: Span) -> int:
    return span.begins


def _why_closed(hours: Hours, wall: datetime, pause: Pause) -> Reason:
    for begins, ends in _spans(hours, wall, pause, mind_dates=False):
        if begins <= wall < ends:
            return Reason.CLOSED_DATE
        if begins > wall:
            break
    return Reason.OUT_OF_HOURS
