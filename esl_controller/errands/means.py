"""What deliveries work with, read from the settings of the installation and of each tenant."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

import structlog

from bridge.providers.registry import DESCRIPTORS
from esl_controller.database.models import ProviderAccess, TenantSettings
from esl_controller.database.pool import Pool
from esl_controller.database.repository import providers, tenants
from esl_controller.errands.base import MailSender, Means
from esl_controller.errands.purse import Purse
from esl_controller.errands.smtp import MailServer
from esl_controller.errands.text_service import as_http
from esl_controller.services.embeddings import Embeddings, embeddings_of
from esl_controller.services.http import ServiceHttp
from esl_controller.settings.table import Settings
from esl_controller.tenants.hosts import ServiceHosts
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.source import ConfigSource

_log = structlog.get_logger("errands")


class OwnAddresses:
    """The hosts of each tenant's webhook and text service: named by the tenant in the same row as
    `allowed_tool_hosts`, they need not be named there too. As last read."""

    def __init__(self) -> None:
        self._set: dict[str, Sequence[str]] = {}
        self._providers: dict[str, Sequence[str]] = {}

    def learn(self, tenant: TenantSettings) -> None:
        """What a tenant's settings say now."""
        own = _hosts(
            tenant.webhook_url, tenant.summary_url, tenant.ticket_url, tenant.embedding_url
        )
        self._set[tenant.domain_uuid] = (*tenant.allowed_tool_hosts, *own)

    def learn_providers(self, domain_uuid: str, access: Sequence[ProviderAccess]) -> None:
        """Where a tenant's own providers answer in text."""
        urls = (
            as_http(one.config.base_url or DESCRIPTORS[one.config.realtime_provider].chat_url)
            for one in access
        )
        self._providers[domain_uuid] = _hosts(*urls)

    def __call__(self, domain_uuid: str) -> Sequence[str]:
        """Those of a domain; none of one whose settings were not read."""
        return (*self._set.get(domain_uuid, ()), *self._providers.get(domain_uuid, ()))


def _hosts(*urls: str | None) -> Sequence[str]:
    return [host for url in urls if url and (host := urlsplit(url).hostname)]


class MeansReader:
    """Reads a tenant's settings anew for each attempt: what was wrong may have been mended."""

    def __init__(
        self,
        pool: Pool,
        source: ConfigSource,
        http: ServiceHttp,
        addresses: OwnAddresses,
        mail: MailSender,
        embeddings: Embeddings,
        purse: Purse,
    ) -> None:
        self.embeddings = embeddings
        self._pool = pool
        self._source = source
        self._http = http
        self._addresses = addresses
        self._mail = mail
        self._purse = purse

    @classmethod
    def of(cls, settings: Settings, pool: Pool, source: ConfigSource, purse: Purse) -> MeansReader:
        """For a worker. Reads the CA file of the services; raises OSError."""
        at, addresses = settings.services, OwnAddresses()
        tls = ssl.create_default_context(cafile=at.ca_file) if at.ca_file else None
        http = ServiceHttp(addresses, ServiceHosts(at.allowed_hosts), tls=tls)
        open_key = source.secret_store.open
        embeddings = embeddings_of(settings, http, open_key, tls, purse.book_embedding)
        return cls(pool, source, http, addresses, MailServer(settings.mail), embeddings, purse)

    def close(self) -> None:
        """Close the connections that are kept."""
        self._http.close()

    def __call__(self, domain_uuid: str) -> Means | None:
        """None when the domain is gone. Raises ConfigError, DatabaseError."""
        with self._pool.connection(autocommit=True) as connection:
            name = tenants.find_domain_name(connection, domain_uuid)
        if name is None:
            return None
        tenant = self._source.load_tenant(domain_uuid)
        self._addresses.learn(tenant)
        return Means(
            tenant=tenant,
            domain_name=name,
            pool=self._pool,
            http=self._http,
            mail=self._mail,
            embeddings=self.embeddings,
            open_key=partial(self._source.secret_store.open, domain_uuid),
            providers=partial(self._providers, tenant),
            purse=self._purse,
        )

    def _providers(self, tenant: TenantSettings) -> Sequence[ProviderAccess]:
        domain_uuid = tenant.domain_uuid
        with self._pool.connection(autocommit=True) as connection:
            rows = providers.list_providers(connection, domain_uuid)
        found = []
        for row in rows:
            if not row["enabled"]:
                continue
            try:
                access = self._source.load_provider(
                    domain_uuid, row["voice_realtime_provider_uuid"]
                )
            except ConfigError as error:
                _log.warning("errands.provider_not_usable", problems=error.problems)
                continue
            found += [access] if access is not None else []
        self._addresses.learn_providers(domain_uuid, found)
        return found
