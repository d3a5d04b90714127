"""Books appointments in a tenant's agenda by HTTP (docs/contracts/agenda.yaml)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from esl_controller.database.models import TenantSettings
from esl_controller.services.ports import Appointment, Booking, Http, Slot, SystemFailed
from esl_controller.services.remote import OpenKey, Remote, segment
from esl_controller.services.values import clean, same_number

MAX_APPOINTMENTS = 50
MAX_SLOTS = 500


class _Slot(msgspec.Struct):
    start: datetime
    end: datetime


class _Appointment(msgspec.Struct):
    id: str | int
    start: datetime
    end: datetime
    title: str | None = None
    name: str | None = None
    phone: str | None = None


class _Slots(msgspec.Struct):
    slots: list[_Slot]


class _Appointments(msgspec.Struct):
    appointments: list[_Appointment]


class _One(msgspec.Struct):
    appointment: _Appointment


@dataclass(frozen=True, slots=True)
class AgendaClient:
    """The agenda of one tenant."""

    remote: Remote
    minutes: int
    """Length of an appointment."""

    def free(self, begin: datetime, end: datetime, *, timeout_s: float) -> Sequence[Slot]:
        """What it offers. Raises SystemFailed."""
        query = {**_between(begin, end), "minutes": str(self.minutes)}
        answer = self.remote.ask("GET", "/slots", _Slots, query=query, timeout_s=timeout_s)
        slots = [Slot(_aware(one.start), _aware(one.end)) for one in answer.slots[:MAX_SLOTS]]
        return sorted((one for one in slots if one.start < one.end), key=lambda one: one.start)

    def find(
        self, begin: datetime, end: datetime, *, phone: str, timeout_s: float
    ) -> Sequence[Appointment]:
        """Those of this number, also where the agenda names others. Raises SystemFailed."""
        answer = self.remote.ask(
            "GET",
            "/appointments",
            _Appointments,
            query={**_between(begin, end), "phone": phone},
            timeout_s=timeout_s,
        )
        read = [_read(one) for one in answer.appointments[:MAX_APPOINTMENTS]]
        return [one for one in read if same_number(one.phone, phone)]

    def book(self, wanted: Booking, *, timeout_s: float) -> Appointment:
        """Make one. Raises SystemFailed."""
        answer = self.remote.ask(
            "POST",
            "/appointments",
            _One,
            json={
                "start": wanted.start,
                "end": wanted.end,
                "title": wanted.title,
                "name": wanted.customer_name,
                "phone": wanted.phone,
            },
            headers={"Idempotency-Key": wanted.key},
            timeout_s=timeout_s,
        )
        booked = _read(answer.appointment)
        if booked.start != wanted.start:
            raise SystemFailed("malformed", "it booked another time than was asked for")
        return booked

    def cancel(self, appointment_id: str, *, phone: str, timeout_s: float) -> Appointment:
        """Take one back: whose it is, the agenda judges. Raises SystemFailed."""
        path = f"/appointments/{segment(appointment_id)}"
        query = {"phone": phone}
        answer = self.remote.ask("DELETE", path, _One, query=query, timeout_s=timeout_s)
        return _read(answer.appointment)


def agenda_remote(tenant: TenantSettings, url: str, http: Http, open_key: OpenKey) -> Remote:
    """The way to a tenant's agenda at `url`, of whichever kind it is."""
    key, user = tenant.agenda_key, tenant.agenda_user
    return Remote(http, tenant.domain_uuid, url, key, open_key, user)


def agenda_client(tenant: TenantSettings, http: Http, open_key: OpenKey) -> AgendaClient | None:
    """None where the tenant has set up no agenda of this kind."""
    if not tenant.agenda_url or tenant.agenda_kind != "http":
        return None
    remote = agenda_remote(tenant, tenant.agenda_url, http, open_key)
    return AgendaClient(remote, tenant.appointment_minutes)


def _between(begin: datetime, end: datetime) -> dict[str, str]:
    return {"from": begin.isoformat(), "to": end.isoformat()}


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise SystemFailed("malformed", "a time has no offset from UTC")
    return time


def _read(one: _Appointment) -> Appointment:
    return Appointment(
        appointment_id=clean(str(one.id)),
        start=_aware(one.start),
        end=_aware(one.end),
        title=clean(one.title or ""),
        customer_name=clean(one.name or ""),
        phone=clean(one.phone or ""),
    )
