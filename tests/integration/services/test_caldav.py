"""Appointments in a real Radicale: found, booked, refused and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import gevent
import pytest

from esl_controller.database.models import TenantSettings
from esl_controller.services.caldav import CaldavAgenda, caldav_client
from esl_controller.services.http import ServiceHttp
from esl_controller.services.ports import Booking, Slot, SystemFailed
from esl_controller.settings.types import Secret
from esl_controller.tenants.hosts import ServiceHosts
from tests.integration.services.radicale import PASSWORD, USER, put, radicale

DOMAIN = "11111111-1111-1111-1111-111111111111"
ZONE = ZoneInfo("America/Sao_Paulo")
MARIA, JOAO = "+5511999990000", "+5521888880000"


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with radicale(tmp_path_factory.mktemp("radicale")) as url:
        yield url


def agenda_at(url: str, password: str = PASSWORD) -> CaldavAgenda:
    tenant = TenantSettings(
        DOMAIN,
        time_zone=str(ZONE),
        agenda_kind="caldav",
        agenda_url=url,
        agenda_user=USER,
        agenda_key="sealed:x",
    )
    secretary = SimpleNamespace(time_zone=None, business_hours=None)
    entry: Any = SimpleNamespace(tenant=tenant, secretary=secretary, time_condition=None)
    http = ServiceHttp(lambda _: ["*"], ServiceHosts(["127.0.0.1"]))
    found = caldav_client(entry, http, lambda _: Secret(password))
    assert found is not None
    return found


@pytest.fixture
def agenda(calendar: str) -> CaldavAgenda:
    return agenda_at(calendar)


def monday(weeks: int, hour: int = 0, minute: int = 0) -> datetime:
    today = datetime.now(ZONE).date()
    day = today + timedelta(days=7 * weeks - today.weekday())
    return datetime.combine(day, time(hour, minute), ZONE)


def booking(start: datetime, phone: str = MARIA, key: str = "k") -> Booking:
    end = start + timedelta(minutes=30)
    name = "Maria; \\n BEGIN:VEVENT"
    return Booking(start=start, end=end, title="cake", customer_name=name, phone=phone, key=key)


def test_what_is_free_is_the_hours_without_what_is_in_the_calendar(
    agenda: CaldavAgenda, calendar: str
) -> None:
    day = monday(2)
    put(
        calendar,
        "standup.ics",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//\r\nBEGIN:VEVENT\r\nUID:standup\r\n"
        f"DTSTAMP:20260101T000000Z\r\nDTSTART;TZID=America/Sao_Paulo:{monday(1):%Y%m%d}T100000\r\n"
        "DURATION:PT45M\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:Stand-up\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    )
    free = agenda.free(day, day + timedelta(days=1), timeout_s=5)
    starts = [slot.start.astimezone(ZONE).strftime("%H:%M") for slot in free]
    assert starts[:3] == ["09:00", "09:30", "11:00"] and starts[-1] == "17:30"
    assert agenda.free(day - timedelta(days=2), day, timeout_s=5) == []  # a weekend


def test_an_appointment_is_booked_found_by_its_number_alone_and_taken_back(
    agenda: CaldavAgenda,
) -> None:
    start = monday(3, 14)
    booked = agenda.book(booking(start), timeout_s=5)
    assert agenda.book(booking(start), timeout_s=5) == booked  # the same wish: the same event
    span = (monday(3), monday(3) + timedelta(days=1))
    assert Slot(start, start + timedelta(minutes=30)) not in agenda.free(*span, timeout_s=5)
    (found,) = agenda.find(*span, phone="11 99999-0000", timeout_s=5)
    assert (found.appointment_id, found.start) == (booked.appointment_id, start)
    assert agenda.find(*span, phone=JOAO, timeout_s=5) == []
    for number, name in ((JOAO, booked.appointment_id), (MARIA, "standup.ics"), (MARIA, "../x")):
        with pytest.raises(SystemFailed) as refused:
            agenda.cancel(name, phone=number, timeout_s=5)
        assert refused.value.reason == "not_found"
    agenda.cancel(booked.appointment_id, phone=MARIA, timeout_s=5)
    assert agenda.find(*span, phone=MARIA, timeout_s=5) == []


def test_of_many_who_book_a_time_at_once_one_gets_it(agenda: CaldavAgenda) -> None:
    start = monday(4, 9, 30)
    results: list[str] = []

    def book(number: int) -> None:
        try:
            agenda.book(booking(start, key=f"k{number}"), timeout_s=10)
            results.append("booked")
        except SystemFailed as failure:
            results.append(failure.reason)

    gevent.joinall([gevent.spawn(partial(book, number)) for number in range(6)])
    assert sorted(results) == ["booked"] + ["conflict"] * 5


@pytest.mark.parametrize(
    "start",
    [monday(5, 9, 10), monday(5, 8), monday(5, 20), monday(5) + timedelta(days=5, hours=10)],
)
def test_what_the_hours_do_not_have_is_not_booked(agenda: CaldavAgenda, start: datetime) -> None:
    with pytest.raises(SystemFailed) as refused:
        agenda.book(booking(start), timeout_s=5)
    assert refused.value.reason == "conflict"


def test_a_wrong_password_or_a_calendar_that_is_gone_is_said(calendar: str) -> None:
    now = datetime.now(UTC)
    for agenda in (agenda_at(calendar, "wrong"), agenda_at(calendar.replace("calendar", "other"))):
        with pytest.raises(SystemFailed) as failed:
            agenda.free(now, now + timedelta(days=1), timeout_s=5)
        assert failed.value.reason in ("status", "not_found")
        assert PASSWORD not in failed.value.words
