"""Functions of a tenant's own, as rows, and what they run in."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from esl_controller.database.functions import FunctionRow, OwnFunction
from esl_controller.settings.types import Secret
from esl_controller.tenants import rules

DOMAIN = "11111111-1111-1111-1111-111111111111"
ORDER = {
    "type": "object",
    "properties": {"order": {"type": "string"}, "since": {"type": "string"}},
    "required": ["order"],
}
HTTP_ROW: Mapping[str, Any] = {
    "voice_realtime_function_uuid": "22222222-2222-2222-2222-222222222222",
    "domain_uuid": DOMAIN,
    "function_name": "order_status",
    "description": "What became of an order.",
    "url": "https://crm.example/orders/{order}",
    "parameters": ORDER,
}
MCP_ROW: Mapping[str, Any] = {
    "voice_realtime_function_uuid": "33333333-3333-3333-3333-333333333333",
    "domain_uuid": DOMAIN,
    "function_name": "shop",
    "function_kind": "mcp",
    "description": "The shop's own tools.",
    "url": "https://mcp.example/mcp",
    "mcp_tools": ["stock"],
    "mcp_catalogue": [{"name": "stock", "description": "How many there are.", "parameters": {}}],
}


def row(base: Mapping[str, Any] = HTTP_ROW, **changes: Any) -> FunctionRow:
    """A row as the loader reads it."""
    return rules.function({**base, **changes})


def own(base: Mapping[str, Any] = HTTP_ROW, key: str = "", **changes: Any) -> OwnFunction:
    """The same with its opened key."""
    credential = {"credential": "sealed:0123456789abcdef:x"} if key else {}
    return OwnFunction(row(base, **credential, **changes), Secret(key) if key else None)


def context(**services: Any) -> Any:
    """A call of this domain, with the services a test gives it."""
    return SimpleNamespace(
        domain_uuid=DOMAIN,
        caller_id_number="+5511987654321",
        conversation_uuid="44444444-4444-4444-4444-444444444444",
        idempotency_key="44444444-4444-4444-4444-444444444444:call_1",
        language="pt-BR",
        services=SimpleNamespace(**{"http": None, "mcp": None, **services}),
    )
