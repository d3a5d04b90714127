"""Books appointments in a CalDAV calendar (RFC 4791), such as Radicale's or Nextcloud's.

Three requests are all it takes: which times are busy, an event at a time, and no event there any
more. An event of ours is named by the time it begins, so the server itself refuses the second of
two bookings (`If-None-Match`), whoever makes them. What is free is what the hours have and the
calendar has not.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from esl_controller.database.hours import BusinessHours, Hours, Span
from esl_controller.database.models import RouteEntry
from esl_controller.services import icalendar_text as text
from esl_controller.services.agenda import agenda_remote
from esl_controller.services.ports import Appointment, Booking, Http, Slot, SystemFailed
from esl_controller.services.remote import OpenKey, Remote
from esl_controller.services.values import same_number
from esl_controller.telemetry.background import in_thread

MAX_SLOTS = 500
_NINE_TO_SIX = (Span(9 * 60, 18 * 60),)
OFFICE_HOURS = BusinessHours((_NINE_TO_SIX,) * 5 + ((),) * 2)
"""Monday to Friday, where a number has no hours of its own."""
_OURS = re.compile(r"voice-ai-\d{8}T\d{6}Z\.ics")
_XML = {"Content-Type": 'application/xml; charset="utf-8"', "Depth": "1"}
_CALENDAR = {"Content-Type": "text/calendar; charset=utf-8"}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class CaldavAgenda:
    """One calendar, within hours."""

    remote: Remote
    hours: Hours
    zone: ZoneInfo
    minutes: int
    clock: Callable[[], float] = time.monotonic

    def free(self, begin: datetime, end: datetime, *, timeout_s: float) -> Sequence[Slot]:
        """Times within the hours at which nothing is in the calendar. Raises SystemFailed."""
        busy = self._busy(begin, end, timeout_s)
        found = []
        for slot in self._grid(begin, end):
            if all(slot.end <= one.start or slot.start >= one.end for one in busy):
                found.append(slot)
            if len(found) == MAX_SLOTS:
                break
        return found

    def find(
        self, begin: datetime, end: datetime, *, phone: str, timeout_s: float
    ) -> Sequence[Appointment]:
        """Those we have booked for this number. Raises SystemFailed."""
        body = text.query_of_ours(begin, end)
        answer = self._send("REPORT", "", timeout_s, body=body, headers=_XML)
        found = _read(text.events_of, answer)
        own = (one for one in found if same_number(one.phone, phone))
        return sorted(own, key=lambda one: one.start)

    def book(self, wanted: Booking, *, timeout_s: float) -> Appointment:
        """Put an event there. Raises SystemFailed."""
        until = self.clock() + timeout_s
        slot, name = Slot(wanted.start, wanted.end), _name(wanted.start)
        if slot not in self._grid(wanted.start, wanted.end):
            raise SystemFailed("conflict", "not one of the times of the hours")
        busy = self._busy(wanted.start, wanted.end, until - self.clock())
        booked = Appointment(
            appointment_id=name,
            start=wanted.start,
            end=wanted.end,
            title=wanted.title,
            customer_name=wanted.customer_name,
            phone=wanted.phone,
        )
        if not busy:
            headers = {**_CALENDAR, "If-None-Match": "*"}
            body = text.event(wanted, datetime.now(UTC), _uid(wanted.key))
            try:
                self._send("PUT", name, until - self.clock(), body=body, headers=headers)
                return booked
            except SystemFailed as failure:
                if failure.reason != "conflict":
                    raise
        if self._key_of(name, until - self.clock()) == _uid(wanted.key):
            return booked  # by an attempt of which we heard no more
        raise SystemFailed("conflict", "something is in the calendar at that time")

    def cancel(self, appointment_id: str, *, phone: str, timeout_s: float) -> Appointment:
        """Take an event of ours out. Raises SystemFailed."""
        if not _OURS.fullmatch(appointment_id):
            raise SystemFailed("not_found", "no event of ours is called so")
        until = self.clock() + timeout_s
        answer = self._send("GET", appointment_id, timeout_s)
        one = _read(text.event_of, answer)
        if one is None or not same_number(one.appointment.phone, phone):
            raise SystemFailed("not_found", "the event is another customer's")
        self._send("DELETE", appointment_id, until - self.clock())
        return one.appointment

    def _busy(self, begin: datetime, end: datetime, timeout_s: float) -> Sequence[Slot]:
        body = text.free_busy_query(begin, end)
        answer = self._send("REPORT", "", timeout_s, body=body, headers=_XML)
        return _read(text.busy_of, answer)

    def _key_of(self, name: str, timeout_s: float) -> str:
        """Who made the event of a time; empty where there is none."""
        try:
            one = _read(text.event_of, self._send("GET", name, timeout_s))
        except SystemFailed as failure:
            if failure.reason == "not_found":
                return ""
            raise
        return "" if one is None else one.uid

    def _send(
        self,
        method: str,
        name: str,
        timeout_s: float,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> bytes:
        if timeout_s <= 0:
            raise SystemFailed("timeout", "the calendar takes too long")
        url = f"{self.remote.url.rstrip('/')}/{name}"
        answer = self.remote.send(
            method, url, timeout_s=timeout_s, body=body, headers=headers or {}
        )
        return answer.body

    def _grid(self, begin: datetime, end: datetime) -> Iterator[Slot]:
        """Every appointment there could be, from the opening on."""
        length = timedelta(minutes=self.minutes)
        day = begin.astimezone(self.zone).date() - timedelta(days=1)
        while day <= end.astimezone(self.zone).date():
            midnight = datetime(day.year, day.month, day.day)
            for span in self.hours.on(day):
                start = midnight + timedelta(minutes=span.begins)
                while start + length <= midnight + timedelta(minutes=span.ends):
                    slot = Slot(self._aware(start), self._aware(start + length))
                    if begin <= slot.start and slot.end <= end:
                        yield slot
                    start += length
            day += timedelta(days=1)

    def _aware(self, wall: datetime) -> datetime:
        return wall.replace(tzinfo=self.zone).astimezone(UTC)


def caldav_client(entry: RouteEntry, http: Http, open_key: OpenKey) -> CaldavAgenda | None:
    """None where the tenant has set up no calendar. Appointments are within the number's own hours,
    else within those of most offices."""
    tenant = entry.tenant
    if not tenant.agenda_url:
        return None
    remote = agenda_remote(tenant, tenant.agenda_url, http, open_key)
    condition = entry.time_condition
    zone = entry.secretary.time_zone or tenant.time_zone
    if condition is not None:
        zone = condition.time_zone or zone
    hours = condition or entry.secretary.business_hours or OFFICE_HOURS
    return CaldavAgenda(remote, hours, ZoneInfo(zone), tenant.appointment_minutes)


def _name(start: datetime) -> str:
    return f"voice-ai-{start.astimezone(UTC):%Y%m%dT%H%M%SZ}.ics"


def _uid(key: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"voice-ai:{key}"))


def _read(reader: Callable[[bytes], _T], answer: bytes) -> _T:
    """Read in a thread: calendars are long, and the library takes its time. Raises SystemFailed."""
    found = in_thread(reader, answer, text.CalendarWrong)
    if isinstance(found, text.CalendarWrong):
        raise SystemFailed("malformed", str(found))
    return found
