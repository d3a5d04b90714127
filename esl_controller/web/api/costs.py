"""Handler: what each provider of a domain has cost, and what was paid through none of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from esl_controller.money.costs import costs_of
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import _Answer


class ProviderCost(_Answer, frozen=True):
    """One provider, of possibly several of a kind, and what went through it alone. USD."""

    voice_realtime_provider_uuid: str
    provider_label: str
    realtime_provider: str
    today_usd: Decimal
    month_usd: Decimal


class OtherCost(_Answer, frozen=True):
    """What no provider of the list can be told to have cost. USD."""

    vendor: str
    """Who is paid, as in the price list."""
    purpose: str
    """conversation | preview | summary | embedding"""
    removed: bool
    """It went through a provider that was removed. Else it was stored before usage named its
    provider, or went through the installation's own or a service of its own address."""
    today_usd: Decimal
    month_usd: Decimal


class Costs(_Answer, frozen=True):
    """Day and month are those of the domain's `time_zone`; both lists together are all."""

    providers: Sequence[ProviderCost]
    """In the order calls try them."""
    others: Sequence[OtherCost]


def show_costs(resources: Resources, request: Request) -> Costs:
    """Of today and this month."""
    with resources.reading() as connection:
        found = costs_of(connection, request.domain_uuid)
    return Costs(
        providers=[ProviderCost(**row) for row in found.providers],
        others=[OtherCost(**row) for row in found.others],
    )
