"""`change_language`: the caller would rather speak another of the tenant's languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.database.models import RouteEntry
from esl_controller.tools.base import BuiltIn, FunctionFailed, ToolContext


class ChangeLanguage(BuiltIn):
    """Our own phrases follow, and whoever serves the conversation next."""

    def describe(self, entry: RouteEntry) -> Tool | None:
        """Where there is more than one language."""
        tags = list(dict.fromkeys(filter(None, (entry.secretary.language, *_others(entry)))))
        if not _others(entry):
            return None
        return Tool(
            "change_language",
            "Change the language of this conversation. Call this before you go on in another "
            "language, when the caller asks for it or speaks it.",
            {
                "type": "object",
                "properties": {"language": {"type": "string", "enum": tags}},
                "required": ["language"],
            },
        )

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Tell the call."""
        language: str = arguments["language"]
        if not context.actions.change_language(language):
            raise FunctionFailed("The call is ending.")
        return {"status": "changed", "language": language, "note": "Go on in this language."}


def _others(entry: RouteEntry) -> list[str]:
    return [one for one in entry.secretary.languages if one != entry.secretary.language]
