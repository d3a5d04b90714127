"""What the emulated systems remember. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


class Taken(Exception):
    """Somebody else has the time."""


@dataclass
class Store:
    """Tickets, customers and appointments, each as the JSON that is told of it."""

    customers: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    appointments: list[dict[str, Any]] = field(default_factory=list)
    opens_at, closes_at = 9, 18
    """Hours of each day between which appointments may be."""
    _by_key: dict[str, dict[str, Any]] = field(default_factory=dict)

    def once(self, key: str, made: dict[str, Any], among: list[dict[str, Any]]) -> dict[str, Any]:
        """What was made under a key before, else `made`, kept from now on."""
        if key in self._by_key:
            return self._by_key[key]
        among.append(made)
        self._by_key[key] = made
        return made

    def known(self, key: str) -> dict[str, Any] | None:
        """What was made under a key."""
        return self._by_key.get(key)

    def find_customers(self, phone: str, name: str) -> list[dict[str, Any]]:
        """By the end of the number, or a part of the name."""
        return [
            one
            for one in self.customers
            if (phone and _tail(one.get("phone", "")) == _tail(phone))
            or (name and name.lower() in one["name"].lower())
        ]

    def slots(self, begin: datetime, end: datetime, minutes: int) -> list[dict[str, Any]]:
        """Free times of one length."""
        length, found = timedelta(minutes=minutes), list[dict[str, Any]]()
        start = begin.replace(minute=0, second=0, microsecond=0)
        while start + length <= end and len(found) < 200:
            if start >= begin and self._is_open(start) and self._is_free(start, start + length):
                found.append({"start": start, "end": start + length})
            start += length
        return found

    def book(self, wanted: dict[str, Any], key: str) -> dict[str, Any]:
        """Raises Taken."""
        known = self.known(key)
        if known is not None:
            return known
        if not self._is_free(wanted["start"], wanted["end"]):
            raise Taken
        wanted = {"id": f"a-{len(self.appointments) + 1}", **wanted}
        return self.once(key, wanted, self.appointments)

    def cancel(self, appointment_id: str, phone: str) -> dict[str, Any] | None:
        """None where there is none of this number."""
        for one in self.appointments:
            if one["id"] == appointment_id and _tail(one.get("phone") or "") == _tail(phone):
                self.appointments.remove(one)
                return one
        return None

    def of_phone(self, begin: datetime, end: datetime, phone: str) -> list[dict[str, Any]]:
        """Appointments of a number."""
        return [
            one
            for one in self.appointments
            if _tail(one.get("phone") or "") == _tail(phone) and begin <= one["start"] < end
        ]

    def _is_open(self, start: datetime) -> bool:
        return self.opens_at <= start.hour < self.closes_at

    def _is_free(self, start: datetime, end: datetime) -> bool:
        return all(end <= one["start"] or start >= one["end"] for one in self.appointments)


def _tail(number: str) -> str:
    return "".join(digit for digit in number if digit.isdigit())[-8:]
