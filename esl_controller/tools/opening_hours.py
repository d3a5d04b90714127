"""`opening_hours`: whether the tenant is open, and when it is next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.database.hours import Reason
from esl_controller.database.models import RouteEntry
from esl_controller.tools.base import BuiltIn, FunctionFailed, ToolContext


class OpeningHours(BuiltIn):
    """By the hours the call was judged by."""

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Where hours are set."""
        if entry.opening is None or entry.opening.reason is Reason.NO_HOURS:
            return None
        return Tool(
            "opening_hours",
            "Whether we are open now, until when, and when we open next.",
            {"type": "object", "properties": {}},
        )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """As it was when the call came."""
        opening = context.entry.opening
        if opening is None:
            raise FunctionFailed("No hours are set.")
        closes = opening.changes_at if opening.open else None
        return {
            "open": opening.open,
            "at": _shown(opening.at),
            "closes_at": _shown(closes),
            "opens_at": _shown(opening.next_open_at),
        }


def _shown(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M (%A)")
