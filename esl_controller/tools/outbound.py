"""`leave_message`, on calls we make; `request_callback`, on calls of others."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.database.acts import OutboundCall
from esl_controller.database.models import RouteEntry
from esl_controller.tools.base import BuiltIn, FunctionFailed, ToolContext

CALLBACK_DAYS = 7
"""A callback that could not be made by then is none."""
MAX_MESSAGE = 2000
_NUMBER = re.compile(r"\+?[0-9]{2,20}")


class LeaveMessage(BuiltIn):
    """The model hears that nobody is there."""

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Where we have called somebody."""
        if entry.outbound is None:
            return None
        return Tool(
            "leave_message",
            "A machine or mailbox has answered: leave this message on it. It is spoken after the "
            "tone, word for word, and the call then ends. Say nothing yourself meanwhile.",
            {
                "type": "object",
                "properties": {"message": {"type": "string", "maxLength": MAX_MESSAGE}},
                "required": ["message"],
            },
        )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """The call waits for the tone."""
        context.actions.leave_message(arguments["message"].strip())
        return {"status": "will be left after the tone"}


class RequestCallback(BuiltIn):
    """The caller wants to be called back. Only his own number is called: a model that was talked
    into it must not dial another."""

    repeatable = False

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Where the tenant has us call people."""
        if entry.outbound is not None or not entry.tenant.outbound_max_concurrent:
            return None
        return Tool(
            "request_callback",
            "Have the caller called back at the number he calls from, within our hours. Ask first.",
            {
                "type": "object",
                "properties": {
                    "reason": {"type": "string", "description": "What the call is to be about."},
                    "not_before": {
                        "type": "string",
                        "description": "Date and time with its offset from UTC, "
                        "2026-12-01T09:00:00-03:00; left out: as soon as possible.",
                    },
                },
                "required": ["reason"],
            },
        )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Write it down; a worker makes the call."""
        number = context.caller_id_number
        if not _NUMBER.fullmatch(number):
            raise FunctionFailed("The caller's number is not known. Take a message instead.")
        now = datetime.now(UTC)
        entry, places = context.entry, context.places
        # A caller says what number he calls from: it may be one that costs a fortune.
        why_not = places.may_dial(entry, places.of_number(entry, number))
        if why_not is not None:
            raise FunctionFailed(f"Nobody can be called back there: {why_not}.")
        wanted = OutboundCall(
            outbound_uuid=str(uuid.uuid4()),
            domain_uuid=entry.domain_uuid,
            extension=entry.extension,
            number=number,
            purpose=f"A callback. {arguments['reason']}"[:MAX_MESSAGE],
            origin="callback",
            not_before=_begin(arguments.get("not_before"), now),
            not_after=now + timedelta(days=CALLBACK_DAYS),
            created_at=now,
        )
        if not context.actions.call_back(wanted):
            raise FunctionFailed("A callback is noted already for this call.")
        return {"status": "noted", "number": number}


def _begin(text: str | None, now: datetime) -> datetime:
    if not text:
        return now
    try:
        wanted = datetime.fromisoformat(text)
    except ValueError:
        raise FunctionFailed("not_before is no date and time.") from None
    if wanted.tzinfo is None:
        raise FunctionFailed("not_before needs its offset from UTC.")
    if not now - timedelta(hours=1) <= wanted <= now + timedelta(days=CALLBACK_DAYS - 1):
        raise FunctionFailed(f"not_before must be within {CALLBACK_DAYS - 1} days.")
    return max(wanted, now)
