"""Reads from the database what a call to a number needs, checked and with keys opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from bridge.providers.registry import DESCRIPTORS
from esl_controller.database.functions import OwnFunction
from esl_controller.database.models import (
    ProcessingMode,
    ProviderAccess,
    RealtimeProviderConfig,
    RouteEntry,
    SecretaryRealtime,
    TenantSettings,
    TurnBasedEntry,
)
from esl_controller.database.pool import Pool
from esl_controller.database.repository import functions, providers, secretaries, tenants
from esl_controller.database.repository.statements import Row
from esl_controller.settings.types import Secret
from esl_controller.tenants import rules
from esl_controller.tenants.checks import URL, PartlyWrong
from esl_controller.tenants.hosts import (
    HostRefused,
    ProviderHosts,
    address_settings,
    connections,
    dialled_host,
)
from esl_controller.tenants.keys.secrets import SecretError, SecretStore
from esl_controller.tenants.model_ends import ModelEnds
from esl_controller.tenants.prompt import variable_doubts
from esl_controller.tenants.providers import models_asked, tenant_settings
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.system_doubts import offer_doubts, tenant_doubts
from esl_controller.tenants.time_conditions import TimeCondition, read_time_condition
from esl_controller.tenants.wishes import fitted

_T = TypeVar("_T")
Resolve = Callable[[str], Sequence[str]]
"""The IP addresses of a host name; none when it cannot be looked up now."""


class ConfigSource:
    """Loads one route at a time.

    `default_provider` serves secretaries whose domain has no provider row of their kind.
    `trusted_base_urls` are the addresses, besides the providers' own, that may be sent a key of
    the operator (`env:`, `file:`): a tenant could else have it sent to a host of its own.
    `allowed_hosts` says where tenants' providers may be (`hosts.ProviderHosts`); None: anywhere.
    """

    def __init__(
        self,
        pool: Pool,
        secret_store: SecretStore,
        *,
        default_provider: ProviderAccess | None = None,
        trusted_base_urls: Iterable[str] = (),
        allowed_hosts: Iterable[str] | None = None,
        resolve: Resolve = lambda _host: (),
        ends: ModelEnds | None = None,
    ) -> None:
        self.secret_store = secret_store
        self.ends = ends or ModelEnds()
        self._pool = pool
        self._default_provider = default_provider
        self._hosts = ProviderHosts(allowed_hosts or (), trusted_base_urls)
        self._addresses_matter = allowed_hosts is not None
        self._resolve = resolve

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
            fusionpbx_zone = tenants.find_time_zone(connection, domain_uuid)
            function_rows = functions.list_functions(connection, domain_uuid)
            wanted = realtime and realtime["time_condition"]
            condition = (
                tenants.find_time_condition(connection, domain_uuid, wanted) if wanted else None
            )
        if domain_name is None:
            return None
        mode = _mode(turn_based)
        if mode is ProcessingMode.TURN_BASED:
            name = turn_based["secretary_name"] if turn_based else None
            return TurnBasedEntry(domain_uuid, domain_name, extension, name)
        if realtime is None:
            raise ConfigError([f"extension {extension} is set to {mode} without realtime settings"])
        row = settings_row or {"domain_uuid": domain_uuid}
        stored = _Stored(realtime, provider_rows, row, fusionpbx_zone, function_rows, condition)
        return self._entry(domain_name, extension, mode, stored)

    def load_tenant(self, domain_uuid: str) -> TenantSettings:
        """Read what a domain has set for all its secretaries. Raises ConfigError, DatabaseError."""
        with self._pool.connection(autocommit=True) as connection:
            row = tenants.find_settings(connection, domain_uuid)
            zone = tenants.find_time_zone(connection, domain_uuid)
        return _tenant([], row or {"domain_uuid": domain_uuid}, zone)

    def find_domain(self, name: str) -> str | None:
        """Return the UUID of the one domain that has this name. Raises DatabaseError."""
        with self._pool.connection(autocommit=True) as connection:
            return tenants.find_domain(connection, name)

    def load_provider(self, domain_uuid: str, provider_uuid: str) -> ProviderAccess | None:
        """Read one provider of a domain, enabled or not; None when the domain has no such row.

        Raises ConfigError, DatabaseError.
        """
        with self._pool.connection(autocommit=True) as connection:
            rows = providers.list_providers(connection, domain_uuid)
        for row in rows:
            if row["voice_realtime_provider_uuid"] == provider_uuid:
                return self._access([], rules.provider(row))
        return None

    def _entry(
        self, domain_name: str, extension: str, mode: ProcessingMode, stored: _Stored
    ) -> RouteEntry:
        problems: list[str] = []
        warnings: list[str] = []
        secretary = _checked(problems, lambda: rules.secretary(stored.secretary, warnings))
        tenant = _checked(problems, lambda: _tenant(warnings, stored.settings, stored.zone))
        if secretary is None or tenant is None:
            raise ConfigError(problems, warnings)
        warnings += _zone_unset(secretary, stored)
        condition = _time_condition(warnings, secretary, tenant, stored.time_condition)
        own, others = self._candidates(problems, secretary, stored.providers)
        access = [_checked(problems, partial(self._from_row, warnings, row)) for row in own]
        access += [_checked(warnings, partial(self._from_row, warnings, row)) for row in others]
        if not own and self._default_provider is not None:
            access.insert(0, self._default_provider)
        if problems:
            raise ConfigError(problems, warnings)
        if access and access[0] is not None:
            secretary, doubts = fitted(secretary, access[0].config)
            warnings += doubts
        warnings += variable_doubts(secretary, access[0].config if access and access[0] else None)
        warnings += tenant_doubts(tenant) + offer_doubts(secretary, tenant)
        warnings += self._ending(secretary, [one for one in access if one is not None])
        return RouteEntry(
            secretary.domain_uuid,
            domain_name,
            extension,
            mode,
            secretary,
            tuple(one for one in access if one is not None),
            tenant,
            functions=self._functions(warnings, extension, stored.functions),
            warnings=tuple(warnings),
            time_condition=condition,
        )

    def load_function(self, domain_uuid: str, function_uuid: str) -> OwnFunction | None:
        """Read one function of a domain, enabled or not; None when the domain has no such row.

        Raises ConfigError, DatabaseError.
        """
        with self._pool.connection(autocommit=True) as connection:
            rows = functions.list_functions(connection, domain_uuid)
        found = [row for row in rows if row["voice_realtime_function_uuid"] == function_uuid]
        return self._function([], found[0]) if found else None

    def _functions(
        self, warnings: list[str], extension: str, rows: list[Row]
    ) -> tuple[OwnFunction, ...]:
        """Those a number has; one that is wrong costs itself."""
        enabled = [row for row in rows if row["enabled"]]
        read = [_checked(warnings, partial(self._function, warnings, row)) for row in enabled]
        return tuple(
            one for one in read if one and extension in (one.row.extensions or [extension])
        )

    def _function(self, warnings: list[str], row: Row) -> OwnFunction:
        function = rules.function(row, warnings)
        try:
            key = function.credential and self.secret_store.open(
                function.domain_uuid, function.credential
            )
        except SecretError as error:
            raise ConfigError([f"function {function.function_name!r}: key: {error}"]) from error
        return OwnFunction(function, key or None)

    def _ending(self, secretary: SecretaryRealtime, access: list[ProviderAccess]) -> list[str]:
        """Models a call would name that end soon."""
        said = []
        for number, one in enumerate(access):
            config, label = one.config, one.config.provider_label
            models = models_asked(one, secretary, own=number == 0)
            soon = self.ends.soon(config.realtime_provider, dialled_host(config), models)
            said += [f"provider {label!r}: {end}" for end in soon]
        return said

    def _candidates(
        self, problems: list[str], secretary: SecretaryRealtime, rows: list[Row]
    ) -> tuple[list[Row], list[Row]]:
        """Return the secretary's own provider (none: the default is meant) and the others."""
        own = _own_row(secretary, rows)
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
        others = [row for row in rows if row is not own and row["enabled"]]
        return [] if own is None else [own], others

    def _from_row(self, warnings: list[str], row: Row) -> ProviderAccess:
        return self._access(warnings, rules.provider(row, warnings))

    def _access(self, warnings: list[str], config: RealtimeProviderConfig) -> ProviderAccess:
        """Lay a row's settings together, then open its key for the address that comes out."""
        label = f"provider {config.provider_label!r}"
        used, left_out = tenant_settings(config)
        warnings += left_out
        config = replace(config, provider_settings=used)
        try:
            _require_addresses_read(config)
            for one in connections(config):
                self._require_address(one)
        except HostRefused as error:
            raise ConfigError([f"{label}: base_url: {error}"]) from error
        try:
            return ProviderAccess(config, self._open(config))
        except (HostRefused, SecretError) as error:
            raise ConfigError([f"{label}: credential: {error}"]) from error

    def _require_address(self, config: RealtimeProviderConfig) -> None:
        if not self._addresses_matter:
            return
        host = dialled_host(config) or ""
        found = self._resolve(host) if self._hosts.needs_look_up(config) else ()
        self._hosts.require_address(config, found)

    def _open(self, config: RealtimeProviderConfig) -> Secret | None:
        for one in connections(config):
            self._hosts.require_key_may_go(one)
        if config.credential is None:
            if config.base_url is None and DESCRIPTORS[config.realtime_provider].needs_key:
                raise SecretError("is missing")
            return None
        return self.secret_store.open(config.domain_uuid, config.credential)


def _require_addresses_read(config: RealtimeProviderConfig) -> None:
    """Raise HostRefused for an address in the settings that is none."""
    for name in address_settings(config):
        if name in config.provider_settings:
            try:
                URL.read(config.provider_settings[name])
            except ValueError as error:
                raise HostRefused(f"{name} {error}") from error


@dataclass(frozen=True, slots=True)
class _Stored:
    """The rows of one route."""

    secretary: Row
    providers: list[Row]
    settings: Row
    zone: str | None
    """FusionPBX's own for the domain."""
    functions: list[Row]
    time_condition: str | None = None
    """Its XML, where the secretary names one that is there."""


def _tenant(warnings: list[str], row: Row, fusionpbx_zone: str | None) -> TenantSettings:
    """The domain's settings; without a zone of its own, or with a wrong one, FusionPBX's."""
    default = {"time_zone": fusionpbx_zone} if fusionpbx_zone else {}
    return rules.tenant(row, warnings, default)


def _zone_unset(secretary: SecretaryRealtime, stored: _Stored) -> list[str]:
    chosen = secretary.time_zone or stored.settings.get("time_zone") or stored.zone
    if (secretary.business_hours or secretary.time_condition) is None or chosen:
        return []
    return [
        f"secretary {secretary.secretary_name!r}: its hours are taken as UTC: no time_zone is "
        "set, here, for the domain or in FusionPBX"
    ]


def _time_condition(
    warnings: list[str], secretary: SecretaryRealtime, tenant: TenantSettings, xml: str | None
) -> TimeCondition | None:
    """FusionPBX's hours. Without what cannot be read: somebody who is answered at the wrong hour
    is better off than one whom nobody answers."""
    name = secretary.time_condition
    if name is None:
        return None
    whose = f"secretary {secretary.secretary_name!r}: the time condition {name!r}"
    instead = "business_hours are used" if secretary.business_hours else "it is always open"
    if xml is None:
        warnings.append(f"{whose} is not there, or not enabled; {instead}")
        return None
    own = secretary.time_zone or tenant.time_zone
    try:
        return read_time_condition(xml, partial(_on_the_wall, own))
    except PartlyWrong as error:
        warnings += [f"{whose}: {problem}" for problem in error.problems]
        found: TimeCondition = error.value
        return found
    except ValueError as error:
        warnings.append(f"{whose} {error}; {instead}")
        return None


def _on_the_wall(own: str, moment: datetime, *, zone: str | None) -> datetime:
    """From the clock of this host, which FreeSWITCH's is taken for."""
    return moment.astimezone(ZoneInfo(zone or own)).replace(tzinfo=None)


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


def _checked(problems: list[str], read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except ConfigError as error:
        problems.extend(error.problems)
        return None
