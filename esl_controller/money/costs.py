"""What each provider of a domain has cost, by the clock of the domain."""

from __future__ import annotations

from typing import NamedTuple

from esl_controller.database.pool import GreenConnection
from esl_controller.database.repository import spending, tenants
from esl_controller.database.repository.statements import Row
from esl_controller.tenants import rules


class Costs(NamedTuple):
    """Of today and this month; both together are all."""

    providers: list[Row]
    """See `spending.by_provider`."""
    others: list[Row]
    """See `spending.besides_providers`."""


def costs_of(connection: GreenConnection, domain_uuid: str) -> Costs:
    """Read them."""
    row = tenants.find_settings(connection, domain_uuid)
    zone = rules.tenant(row or {"domain_uuid": domain_uuid}).time_zone
    return Costs(
        spending.by_provider(connection, domain_uuid, zone),
        spending.besides_providers(connection, domain_uuid, zone),
    )
