"""Opens tickets in OmniPlay and its like: several generations of one request, one of answer.

The answer names the ticket as `id`, `ticketId` or `ticket_id`, outermost or within `ticket` or
`data` (docs/contracts/tickets.yaml).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from esl_controller.database.models import TenantSettings
from esl_controller.services.ports import Http, SystemFailed, TicketWanted
from esl_controller.services.remote import OpenKey, Remote

_NAMES = ("id", "ticketId", "ticket_id")
_WITHIN = ("ticket", "data")
_NUMBER = re.compile(r"[\w.#/:-]{1,64}")
SERVICE = "voice-ai-realtime"


@dataclass(frozen=True, slots=True)
class TicketClient:
    """The ticket system of one tenant."""

    remote: Remote
    tenant: TenantSettings

    def create(self, wanted: TicketWanted, *, key: str, timeout_s: float) -> str:
        """Open one and return its number. Raises SystemFailed."""
        headers = {"Idempotency-Key": key.encode("ascii", "replace").decode()}
        if self.tenant.ticket_format == "handoff":
            headers["X-Service-Name"] = SERVICE
            if self.tenant.ticket_company:
                headers["X-Company-Id"] = self.tenant.ticket_company
        answer = self.remote.ask(
            "POST",
            "",
            dict,
            json=_FORMATS[self.tenant.ticket_format](wanted, self.tenant),
            headers=headers,
            timeout_s=timeout_s,
        )
        return _number_of(answer)


def ticket_client(tenant: TenantSettings, http: Http, open_key: OpenKey) -> TicketClient | None:
    """None where the tenant has set up no ticket system."""
    if not tenant.ticket_url:
        return None
    remote = Remote(http, tenant.domain_uuid, tenant.ticket_url, tenant.ticket_key, open_key)
    return TicketClient(remote, tenant)


def _number_of(answer: Mapping[str, Any]) -> str:
    places = [answer, *(answer.get(name) for name in _WITHIN)]
    for place in [one for one in places if isinstance(one, Mapping)]:
        for value in (place.get(name) for name in _NAMES):
            if isinstance(value, str | int) and not isinstance(value, bool):
                number = str(value)
                if _NUMBER.fullmatch(number):
                    return number
    raise SystemFailed("malformed", f"its answer has none of {', '.join(_NAMES)}")


def _contact(wanted: TicketWanted, tenant: TenantSettings) -> dict[str, Any]:
    return {
        "contact": {"number": wanted.caller_number, "name": wanted.caller_name},
        "channel": "voice",
        "queueId": tenant.ticket_queue,
        "body": wanted.description or wanted.subject,
        "metadata": {
            "source": "voice-ai-secretary",
            "conversation_uuid": wanted.conversation_uuid,
            "summary": wanted.subject,
            "priority": wanted.priority,
        },
    }


def _plain(wanted: TicketWanted, tenant: TenantSettings) -> dict[str, Any]:
    return {
        "caller_id": wanted.caller_number,
        "subject": wanted.subject,
        "description": wanted.description,
        "priority": wanted.priority,
        "transcript": [],
        "domain_uuid": tenant.domain_uuid,
    }


def _event(wanted: TicketWanted, tenant: TenantSettings) -> dict[str, Any]:
    return {
        "event": "voice_ai_ticket",
        "domain_uuid": tenant.domain_uuid,
        "call_uuid": wanted.call_uuid,
        "caller_id": wanted.caller_number,
        "ticket": {
            "subject": wanted.subject,
            "description": wanted.description,
            "priority": wanted.priority,
        },
    }


def _handoff(wanted: TicketWanted, tenant: TenantSettings) -> dict[str, Any]:
    return {
        "call_uuid": wanted.call_uuid,
        "caller_id": wanted.caller_number,
        "transcript": [],
        "summary": "\n".join(filter(None, (wanted.subject, wanted.description))),
        "handoff_reason": "create_ticket",
        "queue_id": tenant.ticket_queue,
        "attach_recording": False,
        "conversation_id": wanted.conversation_uuid,
    }


_FORMATS: Mapping[str, Callable[[TicketWanted, TenantSettings], dict[str, Any]]] = {
    "contact": _contact,
    "plain": _plain,
    "event": _event,
    "handoff": _handoff,
}
"""By `ticket_format`."""
