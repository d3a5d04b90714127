"""`send_dtmf`: press keys on the line, for a machine at the other end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.database.models import RouteEntry
from esl_controller.tools.base import BuiltIn, FunctionFailed, ToolContext


class SendDtmf(BuiltIn):
    """On the caller's own leg."""

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Wherever the secretary is to have it."""
        return Tool(
            "send_dtmf",
            "Press keys on the line, where the other side is a machine that asks for them.",
            {
                "type": "object",
                "properties": {"digits": {"type": "string", "pattern": "^[0-9*#]{1,32}$"}},
                "required": ["digits"],
            },
        )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Press them."""
        if not context.actions.send_dtmf(arguments["digits"]):
            raise FunctionFailed("The keys could not be pressed on this line.")
        return {"status": "sent"}
