"""Who answers in a rehearsal of a tenant's own secretary: a copy of it, by the tenant's providers.

Its domain is the tenant's, or its keys could not be opened; each scenario has a number of its own.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bridge.providers.registry import DESCRIPTORS
from esl_controller.database.pool import Pool
from esl_controller.database.repository.configuration import (
    PROVIDERS,
    SECRETARIES,
    SETTINGS,
    ConfigurationTable,
    insert_row,
)
from esl_controller.database.repository.demo import add_domain
from esl_controller.database.repository.statements import Row
from esl_controller.rehearsal.cast import Player
from esl_controller.rehearsal.scenario import Rehearsal, Scenario

FIRST_NUMBER = 9001
"""Of the copies."""
_SETTINGS_KEPT = ("time_zone", "company_name")
"""Budgets and limits are not: nothing of a rehearsal counts."""


@dataclass(frozen=True, slots=True)
class StoredTenant:
    """What a tenant has stored, as it is in the database."""

    domain_uuid: str
    domain_name: str
    secretary: Row
    providers: Sequence[Row]
    settings: Row


class TenantCast:
    """The secretary is a tenant's: its row, with what the file changes, and its providers."""

    understands_sound = True
    pause_s = 1.2
    patience_s = 4.0

    def __init__(
        self, pool: Pool, tenant: StoredTenant, systems: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        """`systems`: where those that the tenant has set up are emulated, by column."""
        self._pool = pool
        self._systems = systems
        self._tenant = tenant
        self._numbers = itertools.count(FIRST_NUMBER)
        self._providers: dict[str, str] = {}
        """Keys of the copies."""

    @property
    def needs_speech(self) -> bool:
        """Pipelines may be local."""
        kinds = {row["realtime_provider"] for row in self._tenant.providers if row["enabled"]}
        return any(DESCRIPTORS[kind].low_cost for kind in kinds & DESCRIPTORS.keys())

    def copy(self) -> None:
        """Bring the domain, its providers and its settings. Raises DatabaseError."""
        tenant = self._tenant
        with self._pool.connection() as connection:
            add_domain(connection, tenant.domain_name, tenant.domain_uuid)
            for row in tenant.providers:
                key = row[PROVIDERS.key]
                made = insert_row(
                    connection, tenant.domain_uuid, PROVIDERS, _copied(row, PROVIDERS)
                )
                self._providers[key] = made[PROVIDERS.key]
            kept = {name: tenant.settings.get(name) for name in _SETTINGS_KEPT}
            kept |= {n: of for n, of in self._systems.items() if tenant.settings.get(n)}
            insert_row(connection, tenant.domain_uuid, SETTINGS, kept)

    def columns(self, rehearsal: Rehearsal, scenario: Scenario) -> Mapping[str, Any]:
        """The tenant's, changed by the file."""
        return {**self._tenant.secretary, **rehearsal.secretary, **scenario.secretary}

    @contextlib.contextmanager
    def player(self, rehearsal: Rehearsal, scenario: Scenario) -> Iterator[Player]:
        """At a number of its own."""
        tenant, number = self._tenant, str(next(self._numbers))
        columns = _copied(self.columns(rehearsal, scenario), SECRETARIES)
        own = columns["voice_realtime_provider_uuid"]
        columns["voice_realtime_provider_uuid"] = self._providers.get(own) if own else None
        columns |= {"extension": number, "enabled": True}
        with self._pool.connection() as connection:
            insert_row(connection, tenant.domain_uuid, SECRETARIES, columns)
        yield Player(tenant.domain_uuid, tenant.domain_name, number)


def _copied(row: Mapping[str, Any], table: ConfigurationTable) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in (table.key, "domain_uuid")}
