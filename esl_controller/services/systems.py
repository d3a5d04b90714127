"""What each tenant has set up, ready to be asked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from esl_controller.database.models import RouteEntry
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import functions
from esl_controller.knowledge.search import DocumentSearch
from esl_controller.services.access import service_http, trusted
from esl_controller.services.agenda import agenda_client
from esl_controller.services.caldav import caldav_client
from esl_controller.services.crm import crm_client
from esl_controller.services.embeddings import Book, embeddings_of
from esl_controller.services.http import ServiceHttp
from esl_controller.services.mcp import McpClient
from esl_controller.services.meaning import QuestionVectors
from esl_controller.services.ports import Agenda, Customers, Tickets
from esl_controller.services.tickets import ticket_client
from esl_controller.settings.table import Settings
from esl_controller.settings.types import Secret
from esl_controller.tenants.source import ConfigSource


@dataclass(frozen=True, slots=True)
class TenantSystems:
    """One for a worker."""

    pool: Pool
    http: ServiceHttp
    mcp: McpClient
    knowledge: DocumentSearch
    open_key: Callable[[str, str], Secret]
    """Of a domain, what a credential holds; raises SecretError."""

    def warm_up(self) -> None:
        """Start what only some installations need, and a call should not wait for. Waits."""
        with suppress(DatabaseError), self.pool.connection(autocommit=True) as connection:
            if functions.has_enabled_mcp(connection):
                self.mcp.warm_up()

    def close(self) -> None:
        """Close kept connections, and end the process that speaks MCP."""
        self.mcp.stop()
        self.http.close()

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


def tenant_systems(
    settings: Settings, source: ConfigSource, pool: Pool, book: Book
) -> TenantSystems:
    """Of the installation's settings; `book` takes what vectors cost. Raises OSError for its CA
    file."""
    tls, open_key = trusted(settings), source.secret_store.open
    http = service_http(settings, source.load_tenant, tls)
    vectors = embeddings_of(settings, http, open_key, tls, book)
    knowledge = DocumentSearch(pool, QuestionVectors(vectors, source.load_tenant))
    mcp = McpClient(http, settings.services.ca_file)
    return TenantSystems(pool, http, mcp, knowledge, open_key)
