"""Functions of a tenant's own, as rows and as they are called. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from esl_controller.settings.types import Secret


@dataclass(frozen=True, slots=True)
class FunctionRow:
    """One row of `v_voice_realtime_functions`, validated: something of the tenant's own."""

    voice_realtime_function_uuid: str
    domain_uuid: str
    function_name: str
    """As the model calls it; before the tool's own name, where it is an MCP server."""
    function_kind: str
    """http | mcp"""
    description: str
    url: str
    """http: a template, `{argument}` in its path."""
    http_method: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments."""
    argument_places: Mapping[str, str]
    """Argument: `path`, `query[:name]` or `body[:/json/pointer]`."""
    result_fields: Mapping[str, str]
    """Name in the result: JSON Pointer in the answer. Empty: the whole answer."""
    max_result_bytes: int
    timeout_seconds: int
    headers: Mapping[str, str] = field(repr=False)
    """`{key}` in a value stands for the credential."""
    credential: str | None = field(repr=False)
    """`sealed:…`"""
    mcp_tools: Sequence[str]
    """Names of the server's tools that may be called."""
    mcp_catalogue: Sequence[Mapping[str, Any]]
    """What the server said of its tools when it was last asked: name, description, parameters."""
    extensions: Sequence[str]
    """Numbers of the secretaries it is for; empty: all of the domain."""
    enabled: bool


@dataclass(frozen=True, slots=True)
class OwnFunction:
    """A function of the tenant's that can be called: its row and its opened key."""

    row: FunctionRow
    key: Secret | None
