"""What a command had a vendor count is booked to the domain, as a worker does with a journal."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.providers.base import Usage
from esl_controller.commands.site import Site
from esl_controller.database.records import UsageRecord
from esl_controller.database.repository import conversations
from esl_controller.money.budget import BudgetGuard
from esl_controller.money.ledger import UsageLedger
from esl_controller.money.price_file import PriceListError, price_list
from esl_controller.money.prices import PriceList
from esl_controller.telemetry.metrics import Metrics


def prices_of(site: Site) -> PriceList:
    """Read before anything is spent: a file that cannot be read ends the command."""
    try:
        return price_list(site.settings.storage.price_file)
    except PriceListError as error:
        raise site.shell.fail(str(error)) from None


def book(
    site: Site, prices: PriceList, spent: Sequence[Usage], *, purpose: str = ""
) -> list[UsageRecord]:
    """Store it, and return it with its prices. Raises DatabaseError."""
    booked: list[UsageRecord] = []
    ledger = UsageLedger(
        prices, BudgetGuard(site.pool), lambda entry, **_: booked.append(entry), Metrics()
    )
    for usage in spent:
        ledger.book(usage, site.domain_uuid, conversation_uuid=None, purpose=purpose)
    if booked:
        with site.pool.connection() as connection:
            conversations.store_together(connection, site.domain_uuid, booked)
    return booked
