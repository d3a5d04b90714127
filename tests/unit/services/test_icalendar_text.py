"""Calendars as anybody may have written them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.services import icalendar_text as text
from esl_controller.services.ports import Booking, Slot

START = datetime(2026, 12, 1, 13, tzinfo=UTC)


def calendar(*lines: str) -> bytes:
    whole = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//", *lines, "END:VCALENDAR", ""]
    return "\r\n".join(whole).encode()


def multistatus(data: str) -> bytes:
    return (
        '<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><response>'
        "<href>/u/c/voice-ai-x.ics</href><propstat><prop><C:calendar-data>"
        f"{data}</C:calendar-data></prop></propstat></response></multistatus>"
    ).encode()


def test_busy_times_of_every_form_are_read() -> None:
    answer = calendar(
        "BEGIN:VFREEBUSY",
        "FREEBUSY:20261201T130000Z/20261201T133000Z,20261201T140000Z/PT1H",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261201T160000Z/20261201T170000Z",
        "FREEBUSY;FBTYPE=FREE:20261201T180000Z/20261201T190000Z",
        "END:VFREEBUSY",
    )
    hour, half = timedelta(hours=1), timedelta(minutes=30)
    assert text.busy_of(answer) == [
        Slot(START, START + half),
        Slot(START + hour, START + 2 * hour),
        Slot(START + 3 * hour, START + 4 * hour),
    ]
    assert text.busy_of(calendar("BEGIN:VFREEBUSY", "END:VFREEBUSY")) == []


def test_an_event_of_ours_is_read_as_it_was_written() -> None:
    wanted = Booking(
        start=START,
        end=START + timedelta(minutes=30),
        title="cake\r\nEND:VEVENT",
        customer_name="Maria; \\ João",
        phone="+5511999990000",
        key="k",
    )
    written = text.event(wanted, START, "uid-1")
    assert written.count(b"\r\nEND:VEVENT\r\n") == 1
    one = text.event_of(written)
    assert one is not None and one.uid == "uid-1"
    assert (one.appointment.start, one.appointment.phone) == (START, "+5511999990000")
    (found,) = text.events_of(multistatus(written.decode()))
    assert found.appointment_id == "voice-ai-x.ics" and "Maria" in found.customer_name


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"BEGIN:VCALENDAR",
        b"\xff\xfe\x00",
        calendar("BEGIN:VFREEBUSY", "FREEBUSY:20261201T130000/20261201T133000", "END:VFREEBUSY"),
        calendar("BEGIN:VFREEBUSY", "FREEBUSY:yesterday", "END:VFREEBUSY"),
        calendar("BEGIN:VFREEBUSY", "FREEBUSY:99991231T235959Z/PT1H", "END:VFREEBUSY"),
    ],
)
def test_what_is_no_calendar_is_said(answer: bytes) -> None:
    with pytest.raises(text.CalendarWrong):
        text.busy_of(answer)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<a>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x/>',
        multistatus("BEGIN:VCALENDAR nonsense"),
        multistatus("BEGIN:VCALENDAR\nBEGIN:VEVENT\nX-VOICE-AI-PHONE:5\nEND:VEVENT\nEND:VCALENDAR"),
    ],
)
def test_what_is_no_list_of_events_is_said(answer: bytes) -> None:
    with pytest.raises(text.CalendarWrong):
        text.events_of(answer)


def test_a_time_after_all_others_is_said() -> None:
    last = "TZID=America/New_York:99991231T235959"
    one = ("BEGIN:VEVENT", "X-VOICE-AI-PHONE:5", f"DTSTART;{last}", f"DTEND;{last}", "END:VEVENT")
    with pytest.raises(text.CalendarWrong):
        text.event_of(calendar(*one))


@given(st.text(max_size=200))
def test_nothing_in_a_calendar_raises_anything_else(inside: str) -> None:
    within = calendar("BEGIN:VFREEBUSY", inside, "END:VFREEBUSY")
    for answer in (within, inside.encode("utf-8", "ignore")):
        for read in (text.busy_of, text.events_of, text.event_of):
            with contextlib.suppress(text.CalendarWrong):
                read(answer)
