"""A tool of a tenant's MCP server, as a function.

What the model is told of it was read when the tenant chose it (`function refresh`) and stands in
the database: a server that changes its words later changes nothing until somebody looks again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.providers.conversation import Tool
from esl_controller.database.functions import OwnFunction
from esl_controller.database.models import RouteEntry
from esl_controller.services.failed import ServiceFailed
from esl_controller.tools.base import FunctionFailed, ToolContext
from esl_controller.tools.foreign import clean_text, told
from esl_controller.tools.http_function import MAX_REFUSAL, NO_ARGUMENTS, failed
from esl_controller.tools.own_call import OwnCall, headers_of, own_call

MAX_NAME = 64
"""Of a function, as providers take it."""


class McpFunction:
    """One tool of one server."""

    suggested: frozenset[str] = frozenset()
    repeatable = False
    """A server says of its tools what it likes; whether one changes something is not known."""

    def __init__(self, function: OwnFunction, tool: Mapping[str, Any]) -> None:
        self._row = function.row
        self._function = function
        self._tool = tool
        self.name = function_name(function.row.function_name, str(tool["name"]))
        self.deadline_s: float | None = function.row.timeout_seconds + 5.0

    def describe(self, entry: RouteEntry | None = None) -> Tool:
        """As the server described it when it was chosen."""
        words = clean_text(str(self._tool.get("description") or self.name))
        return Tool(self.name, words, self._tool.get("parameters") or NO_ARGUMENTS)

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Call it. Raises FunctionFailed with what happened, as far as it is known."""
        return self.perform(arguments, own_call(context))

    def perform(self, arguments: Mapping[str, Any], call: OwnCall) -> Mapping[str, Any]:
        """The same, for whoever tries it. Raises FunctionFailed."""
        row = self._row
        try:
            result = call.mcp.call(
                row.url,
                headers_of(self._function),
                str(self._tool["name"]),
                arguments,
                domain_uuid=call.domain_uuid,
                timeout_s=row.timeout_seconds,
            )
        except ServiceFailed as error:
            raise failed(error) from error
        if result.get("is_error"):
            said = clean_text(str(result.get("text") or ""), MAX_REFUSAL)
            raise FunctionFailed(f"The other system refused it: {said or 'it did not say why'}")
        structured = result.get("structured")
        answer = result.get("text") if structured is None else structured
        return told(answer, row.max_result_bytes)


def function_name(server: str, tool: str) -> str:
    """What a model calls a tool: letters, digits and _ alone."""
    return re.sub(r"[^A-Za-z0-9_]", "_", f"{server}_{tool}")[:MAX_NAME]
