"""The files a worker reads again when it is told to: prices, the provider's certificates."""

from __future__ import annotations

import structlog

from bridge.wire.network import Network
from esl_controller.money.ledger import UsageLedger
from esl_controller.money.price_file import PriceListError, price_list
from esl_controller.settings.table import Settings
from esl_controller.telemetry.background import in_thread
from esl_controller.web.api.trying import provider_network

_log = structlog.get_logger("app")


def read_again(settings: Settings, network: Network, ledger: UsageLedger) -> Network:
    """Have the ledger use the prices of now; returns how providers are reached now.

    What is wrong is told, and what was in use stays. Calls keep what they began with.
    """
    prices = in_thread(price_list, settings.storage.price_file, PriceListError)
    if isinstance(prices, Exception):
        _log.error("app.prices_not_reloaded", error=str(prices))
    else:
        ledger.use(prices)
    if not settings.provider.ca_file:
        return network
    anew = in_thread(provider_network, settings, OSError)  # ssl.SSLError is one
    if isinstance(anew, Exception):
        _log.error("app.ca_file_not_reloaded", error=str(anew))
        return network
    return anew
