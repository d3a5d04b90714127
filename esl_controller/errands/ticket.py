"""Kind `ticket`: one that could not be opened while the caller waited."""

from __future__ import annotations

from dataclasses import dataclass

from esl_controller.database.acts import QueuedErrand
from esl_controller.errands.base import Dead, Delivered, Means, Retry
from esl_controller.services.ports import SystemFailed, TicketWanted
from esl_controller.services.tickets import ticket_client

TIMEOUT_S = 10.0
_LATER = frozenset({401, 403, 408, 425, 429})
"""Answers of a system that knows the request and cannot take it now, or from us."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Opens it by the client and under the key of `create_ticket`."""

    limit_s: float = 72 * 3600.0

    def deliver(self, errand: QueuedErrand, means: Means) -> Delivered:
        """Open it."""
        client = ticket_client(means.tenant, means.http, means.open_key)
        if client is None:
            raise Dead("no ticket_url is set")
        wanted = TicketWanted.of(errand.payload)
        try:
            number = client.create(wanted, key=errand.idempotency_key, timeout_s=TIMEOUT_S)
        except SystemFailed as failure:
            for_good = failure.certain and failure.status not in _LATER
            raise (Dead if for_good else Retry)(failure.words) from None
        return Delivered({"ticket_id": number})
