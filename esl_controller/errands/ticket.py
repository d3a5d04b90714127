"""Kind `ticket`: a ticket that could not be opened during the call, by the same client."""

from __future__ import annotations

from dataclasses import dataclass

from esl_controller.database.acts import QueuedErrand
from esl_controller.errands.base import Dead, Delivered, Means, Retry
from esl_controller.services.ports import SystemFailed
from esl_controller.services.tickets import ticket_client, wanted_of

TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """Opens it; the errand's key is the one the call used, so that one ticket comes of both."""

    limit_s: float = 24 * 3600.0

    def deliver(self, errand: QueuedErrand, means: Means) -> Delivered:
        """Have it opened."""
        client = ticket_client(means.tenant, means.http, means.open_key)
        if client is None:
            raise Dead("no ticket_url is set")
        wanted = wanted_of(errand.payload)
        try:
            number = client.create(wanted, key=errand.idempotency_key, timeout_s=TIMEOUT_S)
        except SystemFailed as error:
            raise (Dead if error.reason == "refused" else Retry)(error.words) from None
        return Delivered({"ticket_id": number})
