"""Whether a secretary is open: weekly hours and closed days in the tenant's time zone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_open(hours: Mapping[str, Any] | None, time_zone: str, now: datetime) -> bool:
    """Tell whether `now` (aware) lies in the hours; without any it is always open.

    `hours` is `{"mon": [["08:00", "18:00"], …], …, "closed_dates": ["2026-12-25"]}`, checked by
    `config_rules`; a span whose end is not after its begin goes on past midnight.
    """
    if hours is None:
        return True
    local = now.astimezone(ZoneInfo(time_zone))
    if local.date().isoformat() in (hours.get("closed_dates") or ()):
        return False
    today, yesterday = _DAYS[local.weekday()], _DAYS[local.weekday() - 1]
    clock = local.strftime("%H:%M")
    if any(_within(begin, end, clock) for begin, end in hours.get(today) or ()):
        return True
    return any(end <= begin and clock < end for begin, end in hours.get(yesterday) or ())


def _within(begin: str, end: str, clock: str) -> bool:
    return begin <= clock < end if begin < end else clock >= begin
