"""The functions a tenant has of its own, for one number."""

from __future__ import annotations

from collections.abc import Mapping

from esl_controller.database.models import RouteEntry
from esl_controller.tools.base import CallTool
from esl_controller.tools.http_function import HttpFunction
from esl_controller.tools.mcp_function import McpFunction

MAX_OWN = 64
"""Providers take 128 functions at most, ours included; and each costs tokens in every answer."""


def own_tools(entry: RouteEntry) -> Mapping[str, CallTool]:
    """By the name the model uses. Where two would have the same, the first has it."""
    tools: dict[str, CallTool] = {}
    for function in entry.functions:
        if function.row.function_kind == "http":
            tools.setdefault(function.row.function_name, HttpFunction(function))
            continue
        for described in function.row.mcp_catalogue:
            if described["name"] in function.row.mcp_tools:
                tool = McpFunction(function, described)
                tools.setdefault(tool.name, tool)
    return dict(list(tools.items())[:MAX_OWN])
