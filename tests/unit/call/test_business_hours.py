from datetime import UTC, datetime

import pytest

from esl_controller.routes.hours import is_open

WEEK = {
    "mon": [["08:00", "12:00"], ["13:00", "18:00"]],
    "fri": [["20:00", "02:00"]],
    "closed_dates": ["2026-11-30"],
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2026-11-23T08:00", "UTC", True),
        ("2026-11-23T12:00", "UTC", False),
        ("2026-11-23T17:59", "UTC", True),
        ("2026-11-24T09:00", "UTC", False),
        ("2026-11-27T23:30", "UTC", True),
        ("2026-11-28T01:59", "UTC", True),
        ("2026-11-28T02:00", "UTC", False),
        ("2026-11-30T09:00", "UTC", False),
        ("2026-11-23T11:00", "America/Sao_Paulo", True),
        ("2026-11-23T10:59", "America/Sao_Paulo", False),
    ],
)
def test_hours_are_the_tenants_own(moment: str, zone: str, expected: bool) -> None:
    assert is_open(WEEK, zone, at(moment)) is expected


def test_without_hours_it_is_always_open() -> None:
    assert is_open(None, "UTC", at("2026-11-24T03:00"))
