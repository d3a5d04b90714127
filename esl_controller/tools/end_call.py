"""`end_call`: hang up politely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.database.models import RouteEntry
from esl_controller.tools.base import BuiltIn, ToolContext


class EndCall(BuiltIn):
    """Ends the call when the caller has heard the good-bye."""

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Always offered."""
        return Tool(
            "end_call",
            "Hang up. Call this after you have said good-bye and the caller wants nothing more.",
            {
                "type": "object",
                "properties": {"reason": {"type": "string"}},
            },
        )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Start the polite end."""
        context.actions.end_call(arguments.get("reason", ""))
        return {"status": "ending"}
