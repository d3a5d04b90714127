"""Calendars as they are sent and read (RFC 5545, RFC 4791). Pure; reading is slow: in a thread.

What a calendar holds was written by anybody who may write to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

from icalendar import Calendar, Event

from esl_controller.services.ports import Appointment, Booking, Slot
from esl_controller.services.values import clean

MAX_EVENTS = 100
PHONE, NAME = "X-VOICE-AI-PHONE", "X-VOICE-AI-NAME"
_CALDAV, _DAV = "urn:ietf:params:xml:ns:caldav", "DAV:"
_FREE = "FREE"


class CalendarWrong(ValueError):
    """An answer is no calendar that can be read."""


@dataclass(frozen=True, slots=True)
class OwnEvent:
    """An event of ours."""

    uid: str
    appointment: Appointment


def free_busy_query(begin: datetime, end: datetime) -> bytes:
    """RFC 4791 7.10."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><C:free-busy-query xmlns:C="{_CALDAV}">'
        f"{_time_range(begin, end)}</C:free-busy-query>"
    ).encode()


def query_of_ours(begin: datetime, end: datetime) -> bytes:
    """RFC 4791 7.8: events that have a caller's number."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>'
        f'<C:calendar-query xmlns:C="{_CALDAV}" xmlns:D="{_DAV}">'
        "<D:prop><C:calendar-data/></D:prop>"
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f'{_time_range(begin, end)}<C:prop-filter name="{PHONE}"/>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    ).encode()


def event(wanted: Booking, now: datetime, uid: str) -> bytes:
    """An appointment as a calendar of one event."""
    one = Event()
    title = ": ".join(filter(None, (wanted.customer_name, wanted.title)))
    one.add("uid", uid)
    one.add("dtstamp", now.astimezone(UTC))
    one.add("dtstart", wanted.start.astimezone(UTC))
    one.add("dtend", wanted.end.astimezone(UTC))
    one.add("summary", clean(title))
    one.add("description", clean(f"{wanted.title} {wanted.phone}", 1000))
    one.add(PHONE, clean(wanted.phone) or "-")
    one.add(NAME, clean(wanted.customer_name))
    calendar = Calendar()
    calendar.add("prodid", "-//voice-ai-switch//EN")
    calendar.add("version", "2.0")
    calendar.add_component(one)
    text: bytes = calendar.to_ical()
    return text


def busy_of(answer: bytes) -> Sequence[Slot]:
    """The times of a VFREEBUSY that are not free. Raises CalendarWrong."""
    found: list[Slot] = []
    for component in _calendar(answer).walk("VFREEBUSY"):
        times = _listed(component.get("FREEBUSY"))
        found += [_slot(one) for one in times if one.params.get("FBTYPE", "BUSY") != _FREE]
    return found


def events_of(answer: bytes) -> Sequence[Appointment]:
    """The events of ours in a multistatus. Raises CalendarWrong."""
    found = []
    for href, data in _responses(answer):
        one = event_of(data.encode())
        if one is not None:
            name = href.rstrip("/").rpartition("/")[2]
            found.append(_renamed(one.appointment, name))
        if len(found) == MAX_EVENTS:
            break
    return found


def event_of(answer: bytes) -> OwnEvent | None:
    """The event of a calendar of one; None where it is not ours. Raises CalendarWrong."""
    for one in _calendar(answer).walk("VEVENT"):
        if PHONE in one:
            return OwnEvent(clean(str(one.get("UID", ""))), _appointment(one))
    return None


def _appointment(one: Any) -> Appointment:
    start, end = _moment(one, "DTSTART"), _moment(one, "DTEND")
    return Appointment(
        appointment_id=f"voice-ai-{start:%Y%m%dT%H%M%SZ}.ics",
        start=start,
        end=end,
        title=clean(str(one.get("SUMMARY", ""))),
        customer_name=clean(str(one.get(NAME, ""))),
        phone=clean(str(one.get(PHONE, ""))),
    )


def _renamed(one: Appointment, name: str) -> Appointment:
    return Appointment(
        appointment_id=clean(name),
        start=one.start,
        end=one.end,
        title=one.title,
        customer_name=one.customer_name,
        phone=one.phone,
    )


def _moment(one: Any, name: str) -> datetime:
    value = getattr(one.get(name), "dt", None)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise CalendarWrong(f"an event of ours has no {name} with a zone")
    return _utc(value)


def _slot(one: Any) -> Slot:
    start, end = one.start, one.end
    if isinstance(end, timedelta):
        end = start + end
    if not isinstance(start, datetime) or start.tzinfo is None or end.tzinfo is None:
        raise CalendarWrong("a busy time has no zone")
    return Slot(_utc(start), _utc(end))


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the last hours of the year 9999
        raise CalendarWrong("a time is later than all others") from None


def _calendar(answer: bytes) -> Any:
    try:
        return Calendar.from_ical(answer)
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError):
        raise CalendarWrong("answered with no calendar") from None


def _listed(value: Any) -> list[Any]:
    """The library gives one value, or a list of values, or of lists."""
    if value is None:
        return []
    if isinstance(value, list):
        return [inner for one in value for inner in _listed(one)]
    return [value]


def _responses(answer: bytes) -> Iterator[tuple[str, str]]:
    """Address and calendar of each response of a multistatus."""
    if b"<!DOCTYPE" in answer or b"<!ENTITY" in answer:
        raise CalendarWrong("answered with XML that has definitions of its own")
    try:
        root = ElementTree.fromstring(answer)
    except (ElementTree.ParseError, ValueError, LookupError):
        raise CalendarWrong("answered with no XML") from None
    for response in root.iter(f"{{{_DAV}}}response"):
        href = response.findtext(f"{{{_DAV}}}href") or ""
        for data in response.iter(f"{{{_CALDAV}}}calendar-data"):
            yield href, data.text or ""


def _time_range(begin: datetime, end: datetime) -> str:
    start, ends = (f"{one.astimezone(UTC):%Y%m%dT%H%M%SZ}" for one in (begin, end))
    return f'<C:time-range start="{start}" end="{ends}"/>'
