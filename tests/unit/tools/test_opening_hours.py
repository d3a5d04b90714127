"""`opening_hours` tells what the call was judged by."""

from __future__ import annotations

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from esl_controller.database.hours import BusinessHours, Span
from esl_controller.routes.hours import opening
from esl_controller.tools.base import FunctionFailed
from esl_controller.tools.opening_hours import OpeningHours

DAY = (Span(9 * 60, 18 * 60),)
WEEK = BusinessHours((DAY, DAY, DAY, DAY, DAY, (), ()), frozenset({date(2026, 12, 25)}))
TOOL = OpeningHours()


def entry(at: str, hours: BusinessHours | None = WEEK) -> Any:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return SimpleNamespace(opening=opening(hours, "UTC", now))


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ("2026-11-30T10:00", (True, "2026-11-30T18:00 (Monday)", None)),
        ("2026-11-28T10:00", (False, None, "2026-11-30T09:00 (Monday)")),
        ("2026-12-24T20:00", (False, None, "2026-12-28T09:00 (Monday)")),
    ],
)
def test_it_tells_when_what_is_changes(at: str, told: tuple[bool, str | None, str | None]) -> None:
    context: Any = SimpleNamespace(entry=entry(at))
    result = TOOL.run({}, context)
    assert (result["open"], result["closes_at"]) == told[:2]
    if not told[0]:
        assert result["opens_at"] == told[2]


def test_without_hours_it_is_not_offered_and_tells_nothing() -> None:
    assert TOOL.describe(entry("2026-11-30T10:00", None)) is None
    nothing: Any = SimpleNamespace(entry=SimpleNamespace(opening=None))
    assert TOOL.describe(nothing.entry) is None
    with pytest.raises(FunctionFailed):
        TOOL.run({}, nothing)
