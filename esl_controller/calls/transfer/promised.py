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

CREATE_TICKET, REQUEST_CALLBACK = "create_ticket", "request_callback"
"""Functions of the model that need what a ticket and a call back need."""


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
    if wanted is Fallback.TICKET and CREATE_TICKET in functions:
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


def errand_of(
    promise: Promise, wanted: Fallback, missed: Missed, entry: RouteEntry, now: datetime
) -> Errand | None:
    """What is handed to the queue now; None where nothing is."""
    tried = f"{missed.name}: {missed.outcome.value.replace('_', ' ')}"
    payload: dict[str, Any] = {
        "caller_number": missed.identity.caller_id_number,
        "caller_name": missed.identity.caller_id_name,
    }
    if promise is Promise.TICKET:
        payload["subject"] = missed.reason or f"Call for {missed.name}"
        payload["description"] = f"Not connected. {tried}."
        payload["priority"] = "medium"
        payload["call_uuid"] = missed.identity.call_uuid
    elif promise is Promise.NOTE:
        payload["for"] = missed.name
        payload["reason"] = missed.reason
        payload["tried"] = tried
        if wanted is Fallback.CALLBACK:
            payload["wanted"] = "a call back"
        if entry.secretary.email_to:
            payload["to"] = list(entry.secretary.email_to)
    else:
        return None
    kind = "ticket" if promise is Promise.TICKET else "message"
    return errand(kind, entry.domain_uuid, f"transfer:{missed.transfer_uuid}", payload, now)
