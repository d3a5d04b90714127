"""Reads from the database what a call to a number needs, checked and with keys opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar
from urllib.parse import urlsplit

from esl_controller.database.models import (
    ProcessingMode,
    ProviderAccess,
    RealtimeProviderConfig,
    RouteEntry,
    SecretaryRealtime,
    TurnBasedEntry,
)
from esl_controller.database.pool import Pool
from esl_controller.database.repository import providers, secretaries, tenants
from esl_controller.database.repository.statements import Row
from esl_controller.settings.types import Secret
from esl_controller.tenants import rules
from esl_controller.tenants.keys.secrets import SecretError, SecretStore
from esl_controller.tenants.rules import ConfigError

_T = TypeVar("_T")


class ConfigSource:
    """Loads one route at a time.

    `default_provider` serves secretaries whose domain has no provider row of their kind.
    `trusted_base_urls` are the addresses, besides the providers' own, that may be sent a key of
    the operator (`env:`, `file:`): a tenant could else have it sent to a host of its own.
    """

    def __init__(
        self,
        pool: Pool,
        secret_store: SecretStore,
        *,
        default_provider: ProviderAccess | None = None,
        trusted_base_urls: Iterable[str] = (),
    ) -> None:
        self.secret_store = secret_store
        self._pool = pool
        self._default_provider = default_provider
        self._trusted_base_urls = frozenset(trusted_base_urls)

    def load(self, domain_uuid: str, extension: str) -> RouteEntry | TurnBasedEntry | None:
        """Read a route; None when nobody answers this number. Raises ConfigError, DatabaseError."""
        with self._pool.connection(autocommit=True) as connection:
            turn_based = secretaries.find_turn_based(connection, domain_uuid, extension)
            realtime = secretaries.find_realtime(connection, domain_uuid, extension)
            if turn_based is None and realtime is None:
                return None
            domain_name = tenants.find_domain_name(connection, domain_uuid)
            provider_rows = providers.list_providers(connection, domain_uuid)
            settings_row = tenants.find_settings(connection, domain_uuid)
        if domain_name is None:
            return None
        mode = _mode(turn_based)
        if mode is ProcessingMode.TURN_BASED:
            name = turn_based["secretary_name"] if turn_based else None
            return TurnBasedEntry(domain_uuid, domain_name, extension, name)
        if realtime is None:
            raise ConfigError([f"extension {extension} is set to {mode} without realtime settings"])
        return self._entry(domain_name, extension, mode, realtime, provider_rows, settings_row)

    def load_provider(self, domain_uuid: str, provider_uuid: str) -> ProviderAccess | None:
        """Read one provider of a domain, enabled or not; None when the domain has no such row.

        Raises ConfigError, DatabaseError.
        """
        with self._pool.connection(autocommit=True) as connection:
            rows = providers.list_providers(connection, domain_uuid)
        for row in rows:
            if row["voice_realtime_provider_uuid"] == provider_uuid:
                config = rules.provider(row)
                try:
                    return ProviderAccess(config, self._open(config))
                except SecretError as error:
                    raise ConfigError([f"credential: {error}"]) from error
        return None

    def _entry(
        self,
        domain_name: str,
        extension: str,
        mode: ProcessingMode,
        realtime: Row,
        provider_rows: list[Row],
        settings_row: Row | None,
    ) -> RouteEntry:
        problems: list[str] = []
        domain_uuid = realtime["domain_uuid"]
        secretary = _checked(problems, rules.secretary, realtime)
        tenant = _checked(problems, rules.tenant, settings_row or {"domain_uuid": domain_uuid})
        if secretary is None or tenant is None:
            raise ConfigError(problems)
        warnings: list[str] = []
        first, others = self._candidates(problems, warnings, secretary, provider_rows)
        access = [self._access(problems, config) for config in first]
        access += [self._access(warnings, config) for config in others]
        if not first and self._default_provider is not None:
            access.insert(0, self._default_provider)
        if problems:
            raise ConfigError(problems)
        usable = tuple(one for one in access if one is not None)
        return RouteEntry(
            domain_uuid, domain_name, extension, mode, secretary, usable, tenant, tuple(warnings)
        )

    def _candidates(
        self,
        problems: list[str],
        warnings: list[str],
        secretary: SecretaryRealtime,
        rows: list[Row],
    ) -> tuple[list[RealtimeProviderConfig], list[RealtimeProviderConfig]]:
        """Return the secretary's own provider (none: the default is meant) and the others."""
        own = _own_row(secretary, rows)
        first = [] if own is None else [_checked(problems, rules.provider, own)]
        default = self._default_provider
        if own is None and (
            secretary.voice_realtime_provider_uuid is not None
            or default is None
            or default.config.realtime_provider != secretary.realtime_provider
        ):
            wanted = secretary.voice_realtime_provider_uuid or secretary.realtime_provider
            problems.append(
                f"secretary {secretary.secretary_name!r}: the domain has no enabled "
                f"provider {wanted}"
            )
        others = [
            _checked(warnings, rules.provider, row)
            for row in rows
            if row is not own and row["enabled"]
        ]
        return [c for c in first if c is not None], [c for c in others if c is not None]

    def _access(self, problems: list[str], config: RealtimeProviderConfig) -> ProviderAccess | None:
        try:
            return ProviderAccess(config, self._open(config))
        except SecretError as error:
            problems.append(f"provider {config.provider_label!r}: credential: {error}")
            return None

    def _open(self, config: RealtimeProviderConfig) -> Secret | None:
        if config.credential is None:
            if config.base_url is None and config.realtime_provider != "custom":
                raise SecretError("is missing")
            return None
        operators_own = not config.credential.startswith("sealed:")
        if operators_own and config.base_url not in (None, *self._trusted_base_urls):
            host = urlsplit(config.base_url or "").hostname  # the rest may hold a key
            raise SecretError(f"a key of the operator is not sent to {host}")
        return self.secret_store.open(config.domain_uuid, config.credential)


def _mode(turn_based: Row | None) -> ProcessingMode:
    """Return how a number is answered: version 1's row decides where there is one."""
    if turn_based is None:
        return ProcessingMode.REALTIME
    return ProcessingMode(turn_based["processing_mode"] or ProcessingMode.TURN_BASED)


def _own_row(secretary: SecretaryRealtime, rows: list[Row]) -> Row | None:
    enabled = [row for row in rows if row["enabled"]]
    wanted = secretary.voice_realtime_provider_uuid
    if wanted is not None:
        matching = [r for r in enabled if r["voice_realtime_provider_uuid"] == wanted]
    else:
        kind = secretary.realtime_provider
        matching = [r for r in enabled if r["realtime_provider"] == kind]
    return matching[0] if matching else None


def _checked(problems: list[str], check: Callable[[Row], _T], row: Row) -> _T | None:
    try:
        return check(row)
    except ConfigError as error:
        problems.extend(error.problems)
        return None
