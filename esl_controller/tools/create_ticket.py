"""`create_ticket`: opened while the caller waits, or promised and opened later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.database.acts import errand
from esl_controller.database.models import RouteEntry
from esl_controller.services.ports import SystemFailed, TicketWanted
from esl_controller.tools.base import BuiltIn, FunctionFailed, ToolContext

TRY_S = 6.0
"""Longest wait for a number; the ticket is an errand then, under the same key."""
KIND = "ticket"
LATER = (
    "The ticket system cannot be reached now. The ticket is noted and will be opened as soon as it "
    "can; there is no number yet. Tell the caller exactly that."
)


class CreateTicket(BuiltIn):
    """In the tenant's ticket system."""

    deadline_s = TRY_S + 2
    repeatable = False

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Where the tenant has one."""
        if not entry.tenant.ticket_url:
            return None
        return Tool(
            "create_ticket",
            "Open a ticket for what the caller needs and cannot be settled in this call. Tell the "
            "caller its number when you are given one.",
            {
                "type": "object",
                "properties": {
                    "subject": {"type": "string", "minLength": 1, "maxLength": 200},
                    "description": {"type": "string", "maxLength": 4000},
                    "priority": {"type": "string", "enum": ["low", "medium", "high"]},
                },
                "required": ["subject"],
            },
        )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Open it."""
        tickets = context.services.tickets(context.entry)
        if tickets is None:
            raise FunctionFailed("There is no ticket system.")
        wanted = TicketWanted(
            subject=arguments["subject"],
            description=arguments.get("description", ""),
            priority=arguments.get("priority", "medium"),
            caller_number=context.caller_id_number,
            caller_name=context.caller_id_name,
            call_uuid=context.call_uuid,
            conversation_uuid=context.conversation_uuid,
        )
        try:
            number = tickets.create(wanted, key=context.idempotency_key, timeout_s=TRY_S)
        except SystemFailed as failure:
            return _later(wanted, context, failure)
        return {"status": "created", "ticket_id": number}


def _later(wanted: TicketWanted, context: ToolContext, failure: SystemFailed) -> Mapping[str, Any]:
    """Whatever was wrong, it is not lost: what no repetition mends waits for an operator."""
    later = errand(
        KIND,
        context.domain_uuid,
        context.idempotency_key,
        wanted.payload(),
        datetime.now(UTC),
        conversation_uuid=context.conversation_uuid,
    )
    context.actions.errand(later)
    return {"done": False, "status": "noted", "_why": failure.words, "note": LATER}
