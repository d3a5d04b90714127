"""What a worker has of its tenants' own systems: the way there, MCP servers, documents."""

from __future__ import annotations

from contextlib import suppress

from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import functions
from esl_controller.knowledge.search import DocumentSearch
from esl_controller.services.access import service_http
from esl_controller.services.mcp import McpClient
from esl_controller.services.systems import TenantSystems
from esl_controller.settings.table import Settings
from esl_controller.tenants.source import ConfigSource


class WorkerServices:
    """One for a worker."""

    def __init__(self, settings: Settings, pool: Pool, source: ConfigSource) -> None:
        self._pool = pool
        self.http = service_http(settings, source.load_tenant)
        self.mcp = McpClient(self.http, settings.services.ca_file)
        self.documents = DocumentSearch(pool)
        self.systems = TenantSystems(self.http, self.mcp, self.documents, source.secret_store.open)

    def warm_up(self) -> None:
        """What only some installations need, and a call should not wait for. May wait."""
        with suppress(DatabaseError), self._pool.connection(autocommit=True) as connection:
            if functions.has_enabled_mcp(connection):
                self.mcp.warm_up()

    def stop(self) -> None:
        """End the process of MCP servers, and every connection."""
        try:
            self.mcp.stop()
        finally:
            self.http.close()
