"""Kind `ticket`: a ticket that could not be opened during the call, by the same client."""

from __future__ import annotations

from dataclasses import dataclass

from esl_controller.database.acts import QueuedErrand
from esl_controller.errands.base import Dead, Delivered, Means, Retry
from esl_controller.services.ports import SystemFailed, TicketWanted
from esl_controller.services.tickets import ticket_client

TIMEOUT_S = 15.0
_LATER = frozenset({401, 403, 404, 408, 425, 429})
"""Answers of a system that may take the same request once it is set up, or has time."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Opens it; the errand's key is the one the call used, so that one ticket comes of both."""

    limit_s: float = 24 * 3600.0

    def deliver(self, errand: QueuedErrand, means: Means) -> Delivered:
        """Have it opened."""
        client = ticket_client(means.tenant, means.http, means.open_key)
        if client is None:
            raise Dead("no ticket_url is set")
        wanted = TicketWanted.of(errand.payload)
        try:
            number = client.create(wanted, key=errand.idempotency_key, timeout_s=TIMEOUT_S)
        except SystemFailed as error:
            for_good = error.refused and error.status not in _LATER
            raise (Dead if for_good else Retry)(error.words) from None
        return Delivered({"ticket_id": number})
