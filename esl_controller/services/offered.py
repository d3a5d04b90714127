"""Asks a tenant's MCP server what it offers, and keeps what the tenant allows of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from esl_controller.database.functions import OwnFunction
from esl_controller.database.pool import Pool
from esl_controller.database.repository import functions
from esl_controller.services.failed import ServiceFailed
from esl_controller.services.mcp import McpClient
from esl_controller.tenants.own_functions import KEY
from esl_controller.tenants.tool_schema import catalogue

ASK_S = 20.0


class Offered(NamedTuple):
    """What a server said."""

    tools: list[dict[str, Any]]
    """All it has: name, description, parameters."""
    kept: list[str]
    """Names of those the model is offered now."""
    remarks: list[str]
    """What is allowed and cannot be offered."""


def refresh(pool: Pool, mcp: McpClient, function: OwnFunction) -> Offered:
    """Ask a server and store what is allowed of its answer. Raises ServiceFailed, DatabaseError."""
    row = function.row
    if row.function_kind != "mcp":
        raise ServiceFailed("refused", "is no MCP server")
    key = function.key.reveal() if function.key else ""
    headers = {name: value.replace(KEY, key) for name, value in row.headers.items()}
    tools = mcp.tools(row.url, headers, domain_uuid=row.domain_uuid, timeout_s=ASK_S)
    kept, remarks = catalogue(tools, row.mcp_tools)
    with pool.connection() as connection:
        functions.store_catalogue(
            connection, row.domain_uuid, row.voice_realtime_function_uuid, kept
        )
    return Offered(tools, [one["name"] for one in kept], remarks)
