from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.database.hours import BusinessHours, Opening, Reason, Span
from esl_controller.routes.hours import HORIZON_DAYS, PAUSE_DAYS, opening
from esl_controller.tenants.checks import PartlyWrong
from esl_controller.tenants.week import business_hours

WEEK = {
    "mon": [["8:00", "12:00"], ["13:00", "18:00"]],
    "fri": [["20:00", "02:00"]],
    "sat": [["20:00", "02:00"]],
    "closed_dates": ["2026-11-30", "2026-12-25"],
}
SAO_PAULO = "America/Sao_Paulo"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        ("2026-11-23T08:00", "UTC", True),
        ("2026-11-23T07:59", "UTC", False),
        ("2026-11-23T12:00", "UTC", False),
        ("2026-11-23T17:59", "UTC", True),
        ("2026-11-24T09:00", "UTC", False),
        ("2026-11-27T23:30", "UTC", True),
        ("2026-11-28T01:59", "UTC", True),
        ("2026-11-28T02:00", "UTC", False),
        ("2026-11-29T01:59", "UTC", True),
        ("2026-11-30T09:00", "UTC", False),
        ("2026-11-23T11:00", SAO_PAULO, True),
        ("2026-11-23T10:59", SAO_PAULO, False),
        # A closed Friday closes its night to the end; Saturday's own night is open.
        ("2026-12-25T21:00", "UTC", False),
        ("2026-12-26T00:30", "UTC", False),
        ("2026-12-26T21:00", "UTC", True),
        ("2026-12-27T00:30", "UTC", True),
    ],
)
def test_hours_are_the_tenants_own(moment: str, zone: str, expected: bool) -> None:
    assert opening(business_hours(WEEK), zone, at(moment)).open is expected


def test_without_hours_it_is_always_open() -> None:
    now = at("2026-11-24T03:00")
    assert opening(None, "UTC", now) == Opening(now, True, Reason.NO_HOURS)


@pytest.mark.parametrize(
    ("moment", "reason", "changes", "next_open"),
    [
        ("2026-11-23T09:00", Reason.IN_HOURS, "2026-11-23T12:00", "2026-11-23T13:00"),
        ("2026-11-27T23:00", Reason.IN_HOURS, "2026-11-28T02:00", "2026-11-28T20:00"),
        ("2026-11-23T12:30", Reason.OUT_OF_HOURS, "2026-11-23T13:00", "2026-11-23T13:00"),
        ("2026-11-30T09:00", Reason.CLOSED_DATE, "2026-12-04T20:00", "2026-12-04T20:00"),
        ("2026-11-30T19:00", Reason.OUT_OF_HOURS, "2026-12-04T20:00", "2026-12-04T20:00"),
        ("2026-12-26T01:00", Reason.CLOSED_DATE, "2026-12-26T20:00", "2026-12-26T20:00"),
    ],
)
def test_why_and_until_when(moment: str, reason: Reason, changes: str, next_open: str) -> None:
    now = opening(business_hours(WEEK), "UTC", at(moment))
    assert now.reason is reason
    assert (now.changes_at, now.next_open_at) == (at(changes), at(next_open))


def test_times_are_told_in_the_tenants_zone() -> None:
    now = opening(business_hours(WEEK), SAO_PAULO, at("2026-11-23T12:00"))
    assert now.changes_at is not None
    assert now.changes_at.isoformat() == "2026-11-23T12:00:00-03:00"


def test_days_that_touch_are_one_stretch() -> None:
    whole_days = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed")}
    now = opening(business_hours(whole_days), "UTC", at("2026-11-23T09:00"))
    assert now.changes_at == at("2026-11-26T00:00")


def test_what_never_changes_is_not_told_to_change() -> None:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    always = business_hours({day: [["00:00", "24:00"]] for day in days})
    assert opening(always, "UTC", at("2026-11-23T09:00")).changes_at is None
    never = opening(business_hours({}), "UTC", at("2026-11-23T09:00"))
    assert (never.open, never.changes_at, never.next_open_at) == (False, None, None)


@pytest.mark.parametrize("text", ["8:00", "08:00"])
def test_a_time_may_be_typed_without_its_nought(text: str) -> None:
    assert business_hours({"mon": [[text, "24:00"]]}).weekly[0] == (Span(480, 1440),)


def test_a_span_past_midnight_ends_after_its_day() -> None:
    assert business_hours({"mon": [["18:00", "02:00"]]}).weekly[0] == (Span(1080, 1560),)


@pytest.mark.parametrize(
    "time",
    ["T08:00", "08:00+03:00", "08:00:30", "0800", "8", "25:00", "08:60", 8, None, "\u0660:00"],
)
def test_what_is_no_time_is_named_with_its_place(time: object) -> None:
    with pytest.raises(PartlyWrong) as caught:
        business_hours({"mon": [["08:00", "12:00"], [time, "18:00"]], "tue": [["09:00", "10:00"]]})
    assert caught.value.problems == (f"mon, entry 2: {time!r} is not a time like 08:00",)
    hours = caught.value.value
    assert hours.weekly[0] == (Span(0, 1440),)  # that day only
    assert hours.weekly[1] == (Span(540, 600),)


@pytest.mark.parametrize("day", ["25/12/2026", "20261225", "2026-W52-5", "2026-02-30", 7])
def test_what_is_no_date_is_named_with_its_place(day: object) -> None:
    with pytest.raises(PartlyWrong) as caught:
        business_hours({"closed_dates": ["2026-12-24", day]})
    said = f"closed_dates, entry 2: {day!r} is not a date like 2026-12-25"
    assert caught.value.problems == (said,)
    assert len(caught.value.value.closed_dates) == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"monday": []}, "has 'monday', which is not one of mon, tue"),
        ({"mon": "08:00"}, "mon: must be a JSON list"),
        ({"mon": [["08:00"]]}, "mon, entry 1: ['08:00'] is not a begin and an end"),
        ({"mon": [["08:00", "08:00"]]}, "begins and ends at 08:00"),
        ({"mon": [["24:00", "02:00"]]}, "'24:00' is not a time"),
        (
            {"closed_dates": ["2026-12-25"] * 401},
            "closed_dates: must be a JSON list of at",
        ),
    ],
)
def test_other_mistakes(value: Any, said: str) -> None:
    with pytest.raises(PartlyWrong, match=r".*") as caught:
        business_hours(value)
    assert said in str(caught.value)


MINUTES = st.integers(0, 1439)
SPANS = st.builds(lambda b, length: Span(b, b + length), MINUTES, st.integers(1, 1440))
HOURS = st.builds(
    BusinessHours,
    st.tuples(*[st.lists(SPANS, max_size=2).map(tuple)] * 7),
    st.frozensets(st.dates(date(2026, 11, 20), date(2026, 12, 10)), max_size=3),
)


@given(HOURS, st.datetimes(datetime(2026, 11, 22), datetime(2026, 12, 5)))
def test_nothing_changes_before_it_is_told_to(hours: BusinessHours, moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    here = opening(hours, "UTC", now)
    if here.changes_at is None:
        return
    assert here.changes_at > now
    assert opening(hours, "UTC", here.changes_at).open is not here.open
    between = now + (here.changes_at - now) / 2
    assert opening(hours, "UTC", between).open is here.open


def test_whoever_looks_far_ahead_lets_others_go_first() -> None:
    """A week that is never open is looked at to the end of the year, in pieces."""
    pauses: list[int] = []
    never = BusinessHours(((),) * 7)
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert not opening(never, "UTC", now, lambda: pauses.append(1)).open
    assert len(pauses) >= 2 * HORIZON_DAYS // PAUSE_DAYS
    pauses.clear()
    daily = BusinessHours(((Span(540, 1080),),) * 7)
    assert opening(daily, "UTC", now, lambda: pauses.append(1)).open
    assert len(pauses) <= 1
