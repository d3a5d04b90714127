"""The client for tenants' systems, made from the settings; and what each tenant allows."""

from __future__ import annotations

import ssl
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from esl_controller.database.models import TenantSettings
from esl_controller.database.pool import DatabaseError
from esl_controller.services.http import ServiceFailed, ServiceHttp
from esl_controller.settings.table import Settings
from esl_controller.tenants.hosts import ServiceHosts
from esl_controller.tenants.rules import ConfigError

FRESH_S = 5.0
"""A host that is taken away is reached no longer than this."""
MAX_TENANTS = 10_000
LoadTenant = Callable[[str], TenantSettings]
"""A domain's settings. May wait; raises ConfigError, DatabaseError."""


class TenantHosts:
    """Where each tenant's systems are, remembered for a few seconds; while the database is
    away, as last known."""

    def __init__(self, load: LoadTenant, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Sequence[str]]] = OrderedDict()

    def __call__(self, domain_uuid: str) -> Sequence[str]:
        """Raises ServiceFailed when they were never known and cannot be read."""
        read_at, hosts = self._known.get(domain_uuid, (float("-inf"), ()))
        if self._clock() - read_at < FRESH_S:
            return hosts
        try:
            tenant = self._load(domain_uuid)
        except (ConfigError, DatabaseError) as error:
            if domain_uuid in self._known:
                return hosts
            raise ServiceFailed("refused", "the tenant's settings cannot be read") from error
        hosts = (*tenant.allowed_tool_hosts, *system_hosts(tenant))
        self._known[domain_uuid] = (self._clock(), hosts)
        self._known.move_to_end(domain_uuid)
        if len(self._known) > MAX_TENANTS:
            self._known.popitem(last=False)
        return hosts


def system_hosts(tenant: TenantSettings) -> Sequence[str]:
    """Hosts of its tickets, customers, agenda and vectors: set in the same row as
    `allowed_tool_hosts`, they need not be named there too."""
    urls = (tenant.ticket_url, tenant.crm_url, tenant.agenda_url, tenant.embedding_url)
    return [host for url in urls if url and (host := urlsplit(url).hostname)]


def trusted(settings: Settings) -> ssl.SSLContext | None:
    """The operator's own authorities; None: the system's. Reading them takes 50 ms. Raises
    OSError."""
    at = settings.services
    return ssl.create_default_context(cafile=at.ca_file) if at.ca_file else None


def service_http(
    settings: Settings, load: LoadTenant, tls: ssl.SSLContext | None = None
) -> ServiceHttp:
    """For tenants' systems."""
    at = settings.services
    return ServiceHttp(TenantHosts(load), ServiceHosts(at.allowed_hosts), tls=tls)
