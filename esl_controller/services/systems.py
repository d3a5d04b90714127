"""What each tenant has set up, ready to be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from esl_controller.database.models import RouteEntry
from esl_controller.services.agenda import agenda_client
from esl_controller.services.caldav import caldav_client
from esl_controller.services.crm import crm_client
from esl_controller.services.ports import Agenda, Customers, Http, Knowledge, Mcp, Tickets
from esl_controller.services.tickets import ticket_client
from esl_controller.settings.types import Secret


@dataclass(frozen=True, slots=True)
class TenantSystems:
    """One for a worker."""

    http: Http
    mcp: Mcp
    knowledge: Knowledge
    open_key: Callable[[str, str], Secret]
    """Of a domain, what a credential holds; raises SecretError."""

    def tickets(self, entry: RouteEntry) -> Tickets | None:
        """Where its tickets are opened."""
        return ticket_client(entry.tenant, self.http, self._key_of(entry))

    def customers(self, entry: RouteEntry) -> Customers | None:
        """Who its customers are."""
        return crm_client(entry.tenant, self.http, self._key_of(entry))

    def agenda(self, entry: RouteEntry) -> Agenda | None:
        """When it has time."""
        key_of = self._key_of(entry)
        if entry.tenant.agenda_kind == "caldav":
            return caldav_client(entry, self.http, key_of)
        return agenda_client(entry.tenant, self.http, key_of)

    def _key_of(self, entry: RouteEntry) -> Callable[[str], Secret]:
        return partial(self.open_key, entry.domain_uuid)
