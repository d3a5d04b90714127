"""Times as people type them: `yesterday`, `2h`, `2026-11-29`, `2026-11-29 14:30`."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from typing import Any

import click

_AGO = re.compile(r"(\d{1,4})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime) -> datetime:
    """The time that is meant, in the zone of `now`. Raises ValueError.

    A day is its beginning; `2h` is two hours ago; a time of day is today's.
    """
    text = text.strip().lower()
    today = datetime.combine(now.date(), time(), now.tzinfo)
    if text in ("now", "today", "yesterday"):
        return {"now": now, "today": today, "yesterday": today - timedelta(days=1)}[text]
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        of_day = time.fromisoformat(text) if ":" in text and "-" not in text else None
        found = datetime.combine(now.date(), of_day) if of_day else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no time: write today, yesterday, 2h, 7d, 2026-11-29 or 2026-11-29T14:30"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)


class Moment(click.ParamType[datetime]):
    """An option that takes such a time."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """The time, in this host's zone."""
        if isinstance(value, datetime):
            return value
        try:
            return moment(value, datetime.now().astimezone())
        except (ValueError, OverflowError) as error:
            self.fail(str(error), param, ctx)
