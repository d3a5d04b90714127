"""What is left behind for a caller whom nobody took: a note, a ticket, a call back. Pure."""

from __future__ import annotations

import enum
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from esl_controller.calls.transfer.outcomes import Outcome
from esl_controller.calls.transfer.plan import Fallback
from esl_controller.database.acts import Errand, errand
from esl_controller.database.models import RouteEntry
from esl_controller.routes.identity import CallIdentity
from esl_controller.services.ports import TicketWanted

REQUEST_CALLBACK = "request_callback"
"""The function of the model without which nobody is called back."""


class Promise(enum.Enum):
    """What the agent may say will happen."""

    NONE = "none"
    """Nothing was wanted."""
    NOTE = "note"
    """Whoever was asked for is told who called and why."""
    TICKET = "ticket"
    CALLBACK = "callback"
    """Not yet: the caller is to agree, and the model to ask for it."""
    IMPOSSIBLE = "impossible"
    """Wanted, and there is nobody to give it to."""


def promised(wanted: Fallback, entry: RouteEntry, functions: Container[str]) -> Promise:
    """What can be done of what the tenant wants. `functions` are the names the model may call."""
    if wanted not in (Fallback.MESSAGE, Fallback.TICKET, Fallback.CALLBACK):
        return Promise.NONE
    if wanted is Fallback.TICKET and entry.tenant.ticket_url:
        return Promise.TICKET
    if wanted is Fallback.CALLBACK and REQUEST_CALLBACK in functions:
        return Promise.CALLBACK
    reached = entry.tenant.email_to or entry.tenant.webhook_url or entry.secretary.email_to
    return Promise.NOTE if reached else Promise.IMPOSSIBLE


@dataclass(frozen=True, slots=True)
class Missed:
    """A caller, and whom he did not get."""

    identity: CallIdentity
    name: str
    """Of the destination."""
    outcome: Outcome
    reason: str
    transfer_uuid: str
    conversation_uuid: str


def errand_of(
    promise: Promise, wanted: Fallback, missed: Missed, entry: RouteEntry, now: datetime
) -> Errand | None:
    """What is handed to the queue now; None where nothing is."""
    tried = f"{missed.name}: {missed.outcome.value.replace('_', ' ')}"
    payload: dict[str, Any]
    if promise is Promise.TICKET:
        payload = TicketWanted(
            subject=missed.reason or f"Call for {missed.name}",
            description=f"Not connected. {tried}.",
            caller_number=missed.identity.caller_id_number,
            caller_name=missed.identity.caller_id_name,
            call_uuid=missed.identity.call_uuid,
            conversation_uuid=missed.conversation_uuid,
        ).payload()
    elif promise is Promise.NOTE:
        payload = {
            "caller_number": missed.identity.caller_id_number,
            "caller_name": missed.identity.caller_id_name,
            "for": missed.name,
            "reason": missed.reason,
            "tried": tried,
        }
        if wanted is Fallback.CALLBACK:
            payload["wanted"] = "a call back"
        if entry.secretary.email_to:
            payload["to"] = list(entry.secretary.email_to)
    else:
        return None
    kind = "ticket" if promise is Promise.TICKET else "message"
    return errand(kind, entry.domain_uuid, f"transfer:{missed.transfer_uuid}", payload, now)
