"""`check_appointment`, `book_appointment`, `cancel_appointment`: the tenant's agenda.

Times are said and heard in the tenant's own zone. Only appointments of the number that calls are
told or taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bridge.providers.conversation import Tool
from esl_controller.database.models import RouteEntry
from esl_controller.services.ports import Agenda, Appointment, Booking, Slot, SystemFailed
from esl_controller.services.values import NUMBER
from esl_controller.tools.base import BuiltIn, FunctionFailed, ToolContext

TRY_S = 4.0
"""Of one request to the agenda."""
DAYS = 7
"""Looked ahead where no date is asked for."""
HORIZON_DAYS = 366
MAX_TIMES = 16
"""Told to the model: nobody listens to more."""
TAKEN = "That time has been taken. Offer another: check_appointment tells what is free."


class _OfAgenda(BuiltIn):
    """What the three have in common."""

    deadline_s = 2 * TRY_S + 1
    tool: Tool

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Where the tenant has an agenda."""
        return self.tool if entry.tenant.agenda_url else None


class CheckAppointment(_OfAgenda):
    """What is free, and what the caller has."""

    tool = Tool(
        "check_appointment",
        "Find free times for an appointment, and the appointments the caller has. Tells the "
        "present date and time too.",
        {
            "type": "object",
            "properties": {
                "date": {
                    "type": "string",
                    "format": "date",
                    "description": f"2026-12-31; left out: the next {DAYS} days.",
                }
            },
        },
    )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Ask the agenda."""
        agenda, zone = _agenda(context), zone_of(context.entry)
        now = datetime.now(zone)
        begin, end = _span(arguments.get("date"), now, zone)
        try:
            free = agenda.free(begin, end, timeout_s=TRY_S)
            own = _own(agenda, context, now, timeout_s=TRY_S)
        except SystemFailed as failure:
            raise _failed(failure, certain=True) from failure
        minutes = context.entry.tenant.appointment_minutes
        return {
            "now": _local(now, zone),
            "time_zone": str(zone),
            "appointment_minutes": minutes,
            "free": [_local(one, zone) for one in _times(free, now, minutes)],
            "callers_appointments": [_told(one, zone) for one in own],
        }


class BookAppointment(_OfAgenda):
    """Makes one."""

    repeatable = False
    tool = Tool(
        "book_appointment",
        "Book an appointment at a time that check_appointment has told to be free. Repeat day "
        "and time to the caller and have them confirmed before you call this.",
        {
            "type": "object",
            "properties": {
                "start": {
                    "type": "string",
                    "maxLength": 35,
                    "description": "Local date and time, 2026-12-31T09:30.",
                },
                "customer_name": {"type": "string", "minLength": 1, "maxLength": 100},
                "subject": {"type": "string", "maxLength": 200},
            },
            "required": ["start", "customer_name"],
        },
    )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Book it."""
        agenda, zone = _agenda(context), zone_of(context.entry)
        start = _start(arguments["start"], zone)
        minutes = context.entry.tenant.appointment_minutes
        wanted = Booking(
            start=start,
            end=start + timedelta(minutes=minutes),
            title=arguments.get("subject", ""),
            customer_name=arguments["customer_name"],
            phone=context.caller_id_number if NUMBER.fullmatch(context.caller_id_number) else "",
            key=context.idempotency_key,
        )
        try:
            booked = agenda.book(wanted, timeout_s=TRY_S)
        except SystemFailed as failure:
            raise _failed(failure) from failure
        return {"status": "booked", **_told(booked, zone)}


class CancelAppointment(_OfAgenda):
    """Takes one back."""

    repeatable = False
    tool = Tool(
        "cancel_appointment",
        "Cancel an appointment the caller has, by the id check_appointment has told. Have it "
        "confirmed first.",
        {
            "type": "object",
            "properties": {"appointment_id": {"type": "string", "minLength": 1, "maxLength": 200}},
            "required": ["appointment_id"],
        },
    )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Cancel it."""
        agenda, phone = _agenda(context), context.caller_id_number
        if not NUMBER.fullmatch(phone):
            raise FunctionFailed("The caller's number is not known. Take a message instead.")
        try:
            gone = agenda.cancel(arguments["appointment_id"], phone=phone, timeout_s=TRY_S)
        except SystemFailed as failure:
            raise _failed(failure) from failure
        return {"status": "cancelled", **_told(gone, zone_of(context.entry))}


def zone_of(entry: RouteEntry) -> ZoneInfo:
    """The zone of the wall clock callers mean."""
    return ZoneInfo(entry.secretary.time_zone or entry.tenant.time_zone)


def _agenda(context: ToolContext) -> Agenda:
    agenda = context.services.agenda(context.entry)
    if agenda is None:
        raise FunctionFailed("There is no agenda.")
    return agenda


def _own(
    agenda: Agenda, context: ToolContext, now: datetime, *, timeout_s: float
) -> Sequence[Appointment]:
    phone = context.caller_id_number
    if not NUMBER.fullmatch(phone):
        return ()
    end = now + timedelta(days=HORIZON_DAYS)
    return agenda.find(now, end, phone=phone, timeout_s=timeout_s)[:MAX_TIMES]


def _span(day: str | None, now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if day is None:
        return now, now + timedelta(days=DAYS)
    wanted = date.fromisoformat(day)
    if not now.date() <= wanted <= now.date() + timedelta(days=HORIZON_DAYS):
        raise FunctionFailed(f"Today is {now.date()}. The date must be within a year from today.")
    begin = datetime.combine(wanted, time(), zone)
    return max(begin, now), datetime.combine(wanted + timedelta(days=1), time(), zone)


def _start(text: str, zone: ZoneInfo) -> datetime:
    try:
        start = datetime.fromisoformat(text.strip())
    except ValueError:
        raise FunctionFailed("start is no date and time such as 2026-12-31T09:30.") from None
    start = start.replace(tzinfo=zone) if start.tzinfo is None else start.astimezone(zone)
    if start.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != start.replace(tzinfo=None):
        raise FunctionFailed("There is no such time on that day: clocks are changed then.")
    now = datetime.now(zone)
    if not now <= start <= now + timedelta(days=HORIZON_DAYS):
        raise FunctionFailed(f"It is {_local(now, zone)}. start must be within a year from now.")
    return start.replace(second=0, microsecond=0)


def _times(free: Iterable[Slot], now: datetime, minutes: int) -> list[datetime]:
    """When an appointment can begin."""
    length, found = timedelta(minutes=minutes), list[datetime]()
    for slot in free:
        start = slot.start
        while start + length <= slot.end and len(found) < MAX_TIMES:
            if start >= now:
                found.append(start)
            start += length
    return found


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M (%A)")


def _told(one: Appointment, zone: ZoneInfo) -> Mapping[str, str]:
    told = {"appointment_id": one.appointment_id, "start": _local(one.start, zone)}
    return told | ({"subject": one.title} if one.title else {})


def _failed(failure: SystemFailed, *, certain: bool = False) -> FunctionFailed:
    """`certain`: nothing was to be changed."""
    if failure.reason == "conflict":
        return FunctionFailed(TAKEN, why=failure.words)
    if failure.reason == "not_found":
        words = "The number that calls has no such appointment. Offer to take a message."
        return FunctionFailed(words, why=failure.words)
    words = "The agenda does not answer as it should at the moment."
    return FunctionFailed(words, why=failure.words, certain=certain or failure.certain)
