"""FusionPBX's own time conditions, read as hours; FreeSWITCH's comparisons, minute by minute."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.database.hours import Opening, Reason
from esl_controller.routes.hours import opening
from esl_controller.tenants.checks import PartlyWrong
from esl_controller.tenants.time_conditions import TimeCondition, read_time_condition


def in_utc(moment: datetime, *, zone: str | None) -> datetime:
    there = ZoneInfo(zone or "Europe/Lisbon")
    return moment.replace(tzinfo=UTC).astimezone(there).replace(tzinfo=None)


def stored(name: str) -> TimeCondition:
    return read_time_condition((Path(__file__).parent / f"{name}.xml").read_text(), in_utc)


def seen(name: str, moment: str) -> Opening:
    condition = stored(name)
    zone = condition.time_zone or "Europe/Lisbon"
    wall = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
    return opening(condition, zone, wall)


@pytest.mark.parametrize(
    ("name", "moment", "is_open"),
    [
        ("office", "2026-11-30T07:59", False),  # a Monday
        ("office", "2026-11-30T08:00", True),
        ("office", "2026-11-30T11:59", True),
        ("office", "2026-11-30T12:00", False),
        ("office", "2026-11-30T13:00", True),
        ("office", "2026-12-05T12:59", True),
        ("office", "2026-12-06T10:00", False),
        ("office", "2026-12-25T10:00", False),
        ("office", "2027-01-01T10:00", False),
        ("restaurant", "2026-11-27T18:00", True),  # a Friday: its evening, and its first hours
        ("restaurant", "2026-11-27T01:59", True),
        ("restaurant", "2026-11-27T02:00", False),
        ("restaurant", "2026-11-30T19:00", False),
        ("restaurant", "2026-11-26T19:00", False),  # Thanksgiving
        ("restaurant", "2026-12-03T22:59", True),
        ("restaurant", "2027-02-10T19:00", False),  # Carnival, by dates and times
        ("restaurant", "2027-02-11T18:00", True),
        ("clinic", "2026-12-07T14:00", False),  # the second week of December, by Sundays
        ("clinic", "2027-02-01T16:59", True),
        ("clinic", "2026-12-29T10:00", True),
        ("clinic", "2027-01-05T10:00", False),
    ],
)
def test_what_fusionpbx_stores(name: str, moment: str, is_open: bool) -> None:
    assert seen(name, moment).open is is_open


def test_when_it_opens_again_over_a_holiday() -> None:
    christmas = seen("office", "2026-12-24T18:30")
    assert str(christmas.next_open_at) == "2026-12-26 09:00:00-03:00"
    assert seen("office", "2026-12-25T09:00").reason is Reason.CLOSED_DATE
    assert stored("office").time_zone == "America/Sao_Paulo"


def test_the_night_the_clocks_change_has_its_own_length() -> None:
    xml = '<a><condition minute-of-day="61-240"><action application="b"/></condition></a>'
    nights = read_time_condition(xml, in_utc)  # 01:00 to 04:00
    lisbon = ZoneInfo("Europe/Lisbon")
    spring = opening(nights, "Europe/Lisbon", datetime(2027, 3, 28, 0, 30, tzinfo=lisbon))
    assert spring.next_open_at is not None and spring.next_open_at.hour == 1
    during = opening(nights, "Europe/Lisbon", datetime(2027, 3, 28, 2, 30, tzinfo=UTC))
    assert during.open and during.changes_at == datetime(2027, 3, 28, 3, 0, tzinfo=UTC)
    autumn = opening(nights, "Europe/Lisbon", datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    assert autumn.open and autumn.changes_at == datetime(2026, 10, 25, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ("", "is no XML"),
        ("<extension/>", "names no times"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "declarations"),
        ("<a>" + "<condition mon='1'/>" * 200 + "</a>", "more than 64 groups"),
        ('<a><condition wday="Mo-x"><action/></condition></a>', "no numbers"),
        ('<a><condition dst="true"><action/></condition></a>', "'dst', which is not understood"),
        ('<a><condition date-time="2026-01-01~"><action/></condition></a>', "no dates and times"),
        ('<a><condition time-of-day="8-18"><action/></condition></a>', "no times such as"),
    ],
)
def test_what_cannot_be_read_is_told(xml: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_time_condition(xml, in_utc)


def test_a_group_that_cannot_be_read_costs_itself() -> None:
    good = '<condition wday="mon-fri"><action application="transfer" data="1"/></condition>'
    bad = '<condition moon="full"><action application="transfer" data="1"/></condition>'
    with pytest.raises(PartlyWrong, match="group 2 asks for 'moon'") as error:
        read_time_condition(f"<extension>{good}{bad}</extension>", in_utc)
    assert error.value.value.groups[0].open


@given(st.text(max_size=200) | st.text(alphabet="<>/ac ondit=\"'&;#x-", max_size=80))
def test_any_text_is_refused_in_words(text: str) -> None:
    try:
        read_time_condition(text, in_utc)
    except ValueError as error:
        assert str(error)


_NUMBERS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: f"{pair[0]}-{pair[1]}")
    | st.integers(0, 60).map(str),
    min_size=1,
    max_size=3,
).map(",".join)


def number_cmp(expression: str, value: int) -> bool:
    """switch_number_cmp of FreeSWITCH's src/switch_utils.c."""
    for part in expression.split(","):
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if low <= value <= high if low <= high else (value >= low or value <= high):
            return True
    return False


@given(
    st.dictionaries(
        st.sampled_from(["mon", "mday", "wday", "hour", "minute", "week", "mweek"]),
        _NUMBERS,
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 3 * 365 * 24 * 60),
)
def test_each_minute_is_as_freeswitch_compares_it(times: dict[str, str], minute: int) -> None:
    attributes = " ".join(f'{name}="{value}"' for name, value in times.items())
    xml = f'<a><condition {attributes}><action application="b"/></condition></a>'
    now = datetime(2026, 1, 1) + timedelta(minutes=minute)
    first = now.replace(day=1).isoweekday() % 7
    values = {
        "mon": now.month,
        "mday": now.day,
        "wday": now.isoweekday() % 7 + 1,
        "hour": now.hour,
        "minute": now.minute,
        "week": (now.timetuple().tm_yday - 1) // 7 + 1,
        "mweek": (now.day + first - 1) // 7 + 1,
    }
    expected = all(number_cmp(text, values[name]) for name, text in times.items())
    condition = read_time_condition(xml, in_utc)
    of_day = now.hour * 60 + now.minute
    spans = condition.on(now.date())
    assert any(one.begins <= of_day < one.ends for one in spans) is expected
