"""What functions ask of a tenant's own systems. Pure: values, and the ports that `services` fills.

Everything a system answers is data from somebody we do not trust. Whatever is behind a port, what
goes wrong is `SystemFailed`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from esl_controller.database.models import RouteEntry
from esl_controller.knowledge.found import Found


class SystemFailed(Exception):
    """A system of the tenant's did not do it; `words` are for the operator.

    `reason`: refused (by us; nothing was sent) | timeout | unreachable | status | too_large |
    malformed | conflict (the time has gone) | not_found.
    """

    def __init__(self, reason: str, words: str, *, status: int = 0, sent: bool = True) -> None:
        """`sent`: something may have been, or it is not known."""
        super().__init__(words)
        self.sent = sent
        self.reason = reason
        self.words = words
        self.status = status
        """Of HTTP, where it answered."""

    @property
    def refused(self) -> bool:
        """Whether somebody has said no: asked again, the answer would be the same."""
        return self.reason in ("refused", "conflict", "not_found") or 400 <= self.status < 500

    @property
    def certain(self) -> bool:
        """Whether nothing has happened for sure."""
        return self.refused or not self.sent


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketWanted:
    """A ticket to be opened."""

    subject: str
    description: str = ""
    priority: str = "medium"
    """low | medium | high"""
    caller_number: str
    caller_name: str = ""
    call_uuid: str
    conversation_uuid: str

    def payload(self) -> dict[str, str]:
        """As it waits in an errand."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> TicketWanted:
        """From an errand."""
        return cls(**{name: str(payload.get(name) or "") for name in cls.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """Somebody the tenant knows."""

    customer_id: str
    name: str
    company: str = ""
    phone: str = ""
    email: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """An appointment in the tenant's agenda; times are aware."""

    appointment_id: str
    start: datetime
    end: datetime
    title: str = ""
    customer_name: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A free time."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """An appointment to be made. The same `key` twice makes one."""

    start: datetime
    end: datetime
    title: str
    customer_name: str
    phone: str
    key: str


class Tickets(Protocol):
    """Where tickets are opened."""

    def create(self, wanted: TicketWanted, *, key: str, timeout_s: float) -> str:
        """Open one and return its number; the same `key` twice opens one."""


class Customers(Protocol):
    """Who the tenant's customers are."""

    def find(self, *, phone: str = "", name: str = "", timeout_s: float) -> Sequence[Customer]:
        """Those who fit, the likeliest first; a handful at most."""


class Agenda(Protocol):
    """When the tenant has time."""

    def free(self, begin: datetime, end: datetime, *, timeout_s: float) -> Sequence[Slot]:
        """Free times between two, in order; they may be longer than one appointment."""

    def find(
        self, begin: datetime, end: datetime, *, phone: str, timeout_s: float
    ) -> Sequence[Appointment]:
        """Appointments of one customer between two times, in order."""

    def book(self, wanted: Booking, *, timeout_s: float) -> Appointment:
        """Make one; `conflict` where the time has gone."""

    def cancel(self, appointment_id: str, *, phone: str, timeout_s: float) -> Appointment:
        """Take one back that belongs to `phone`; `not_found` where there is none."""


class HttpResponse(Protocol):
    """An answer of any status."""

    @property
    def status(self) -> int:
        """As HTTP numbers it."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case."""

    @property
    def body(self) -> bytes:
        """Whole: half an answer is a failure."""

    def require_success(self) -> HttpResponse:
        """Itself, where its status is 2xx; raises `services.http.ServiceFailed`."""


class Http(Protocol):
    """The one guarded way to an address a tenant has named: `services.http.ServiceHttp`."""

    def request(
        self,
        method: str,
        url: str,
        *,
        domain_uuid: str,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        timeout_s: float,
        max_bytes: int = ...,
    ) -> HttpResponse:
        """Send one request for a tenant; raises `services.http.ServiceFailed`."""


class Mcp(Protocol):
    """The way to a tenant's MCP servers: `services.mcp.McpClient`."""

    def call(
        self,
        url: str,
        headers: Mapping[str, str],
        tool: str,
        arguments: Mapping[str, Any],
        *,
        domain_uuid: str,
        timeout_s: float,
    ) -> Mapping[str, Any]:
        """Call a tool: `structured`, `text` and `is_error` of its result.

        Raises `services.http.ServiceFailed`.
        """


class Knowledge(Protocol):
    """The tenant's documents."""

    def search(self, domain_uuid: str, question: str, *, timeout_s: float) -> Found:
        """The passages that fit best, the best first. Raises `knowledge.found.SearchFailed`."""


class Services(Protocol):
    """What functions reach the outside with; None for what a tenant has not set up."""

    @property
    def http(self) -> Http:
        """Any address the tenant has named."""

    @property
    def mcp(self) -> Mcp:
        """Its MCP servers."""

    @property
    def knowledge(self) -> Knowledge:
        """Its documents."""

    def tickets(self, entry: RouteEntry) -> Tickets | None:
        """Where its tickets are opened."""

    def customers(self, entry: RouteEntry) -> Customers | None:
        """Who its customers are."""

    def agenda(self, entry: RouteEntry) -> Agenda | None:
        """When it has time."""
