"""The functions a tenant has of its own, for one number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from esl_controller.database.functions import OwnFunction
from esl_controller.database.models import RouteEntry
from esl_controller.tenants.own_functions import PROBLEM
from esl_controller.tools.base import CallTool, FunctionFailed
from esl_controller.tools.http_function import HttpFunction
from esl_controller.tools.mcp_function import McpFunction
from esl_controller.tools.own_call import OwnCall
from esl_controller.tools.schema import Arguments

MAX_OWN = 64
"""Providers take 128 functions at most, ours included; and each costs tokens in every answer."""


def own_tools(entry: RouteEntry) -> Mapping[str, CallTool]:
    """By the name the model uses. Where two would have the same, the first has it."""
    tools: dict[str, CallTool] = {}
    for function in entry.functions:
        for name, tool in tools_of(function).items():
            tools.setdefault(name, tool)
    return dict(list(tools.items())[:MAX_OWN])


def tools_of(function: OwnFunction) -> Mapping[str, HttpFunction | McpFunction]:
    """What one row offers: one function, or the allowed tools of a server."""
    row = function.row
    if row.function_kind == "http":
        return {row.function_name: HttpFunction(function)}
    offered = [one for one in row.mcp_catalogue if PROBLEM not in one]
    allowed = [one for one in offered if one["name"] in row.mcp_tools]
    tools = [McpFunction(function, one) for one in allowed]
    return {tool.name: tool for tool in reversed(tools)}


def tried(
    function: OwnFunction, name: str, arguments: Mapping[str, Any], call: OwnCall
) -> Mapping[str, Any]:
    """What a model would be told of a call of one of a row's functions, without a call.

    Raises FunctionFailed, also for arguments that do not fit.
    """
    tools = tools_of(function)
    tool = tools.get(name) if name else next(iter(tools.values()), None)
    if tool is None:
        raise FunctionFailed(
            f"possible are: {', '.join(tools) or 'none; ask the server (refresh)'}"
        )
    described = tool.describe()
    if problem := Arguments(described.parameters).problem(arguments):
        raise FunctionFailed(problem)
    return tool.perform(arguments, call)
