"""`take_message`: for somebody of the tenant's, whatever is up or down."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.database.acts import errand
from esl_controller.database.models import RouteEntry
from esl_controller.tools.base import BuiltIn, ToolContext

KIND = "message"


class TakeMessage(BuiltIn):
    """By e-mail, webhook, or both."""

    repeatable = False

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Where somebody would get it."""
        tenant, secretary = entry.tenant, entry.secretary
        if not (tenant.email_to or secretary.email_to or tenant.webhook_url):
            return None
        return Tool(
            "take_message",
            "Take a message for somebody who is not here. Repeat it to the caller first.",
            {
                "type": "object",
                "properties": {
                    "message": {"type": "string", "minLength": 1, "maxLength": 4000},
                    "name": {"type": "string", "maxLength": 100, "description": "Who calls."},
                    "recipient": {
                        "type": "string",
                        "maxLength": 100,
                        "description": "Whom it is for.",
                    },
                    "number": {
                        "type": "string",
                        "maxLength": 40,
                        "description": "Where to call back, if not the number he calls from.",
                    },
                    "urgent": {"type": "boolean"},
                },
                "required": ["message"],
            },
        )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Note it: from here on it is the queue's."""
        told = {
            "caller_number": context.caller_id_number,
            "caller_name": context.caller_id_name,
            **arguments,
        }
        to = context.entry.secretary.email_to
        noted = errand(
            KIND,
            context.domain_uuid,
            context.idempotency_key,
            {**({"to": list(to)} if to else {}), **_known(told)},
            datetime.now(UTC),
            conversation_uuid=context.conversation_uuid,
        )
        context.actions.errand(noted)
        return {"status": "noted", "note": "It will be passed on. Nobody has read it yet."}


_FIELDS = ("caller_number", "caller_name", "name", "recipient", "number", "message", "urgent")


def _known(told: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: told[name] for name in _FIELDS if told.get(name)}
