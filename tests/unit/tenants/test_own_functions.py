"""What is wrong with a function of a tenant's own, all at once, where it is edited."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.database.functions import OwnFunction
from esl_controller.tenants import rules
from esl_controller.tenants.columns.function import FUNCTION
from esl_controller.tenants.own_functions import RESERVED
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.tool_schema import catalogue, parameters
from esl_controller.tools import registry
from esl_controller.tools.own import tools_of
from tests.unit.tools.own_kit import HTTP_ROW, MCP_ROW, ORDER, row


def problems(**changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        row(**changes)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("function_name", "Order Status", "lower-case letters"),
        ("function_name", "end_call", "the name of a function of ours"),
        ("function_name", "x" * 33, "at most 32"),
        ("function_kind", "soap", "one of http, mcp"),
        ("description", None, "description"),
        ("url", "ftp://crm.example/{order}", "http:// or https://"),
        ("url", "https://{order}.example/", "in its path alone"),
        ("url", "https://crm.example/{order}?x={order}", "in its path alone"),
        ("url", "https://u:p@crm.example/{order}", "without a user name"),
        ("url", "https://crm.example/{or{der}", "a brace too many"),
        ("url", "https://crm.example/{a b}", "no name of an argument"),
        ("url", "https://crm.example/{order}#x", "#fragment"),
        ("url", "https://crm.example/{client}", "'client' is placed, and is no property"),
        ("http_method", "TRACE", "one of GET"),
        ("parameters", {"type": "string"}, "must be an object"),
        ("parameters", {**ORDER, "allOf": []}, "'allOf' is not used in functions"),
        ("parameters", {**ORDER, "required": ["x"]}, "requires 'x'"),
        ("parameters", {**ORDER, "required": []}, "parameters must require it"),
        ("parameters", {**ORDER, "required": [{}]}, "required must be a list of names"),
        ("parameters", {**ORDER, "properties": {"order": {"enum": []}}}, "not empty"),
        ("parameters", {**ORDER, "properties": {"order": {"type": "text"}}}, "'text' must be one"),
        ("parameters", {**ORDER, "properties": {"or der": {}}}, "no name of an argument"),
        ("parameters", {**ORDER, "description": "x" * 20_000}, "at most 16384 bytes"),
        ("argument_places", {"order": "header"}, "must be path, query"),
        ("argument_places", {"$secret": "query"}, "not one of $caller_number"),
        ("argument_places", {"since": "body"}, "goes into the body, and GET has none"),
        ("argument_places", {"since": "path"}, "goes into the path, or stands in it"),
        ("argument_places", {"client": "query"}, "no property of parameters"),
        ("result_fields", {"a": "name"}, "JSON Pointer"),
        ("headers", {"Host": "evil.example"}, "ours to set"),
        ("headers", {"X-A": "b\r\nX-B: c"}, "printable ASCII"),
        ("headers", {"X-A": "{key}"}, "none is stored"),
        ("credential", "sk-in-clear", "must be sealed"),
        ("credential", "env:OPENAI_API_KEY", "must be sealed"),
        ("credential", "file:/etc/keys/openai", "must be sealed"),
        ("credential", "sealed:0123456789abcdef:x", "no header holds {key}"),
        ("extensions", ["-x"], "digits"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(field: str, value: Any, said: str) -> None:
    found = problems(**{field: value})
    assert said in found
    assert "sk-in-clear" not in found


def test_everything_is_said_at_once() -> None:
    found = problems(function_name="X", url="nowhere", parameters={"type": "list"})
    assert all(name in found for name in ("function_name", "url", "parameters"))


def test_headers_go_over_tls_alone() -> None:
    clear = {"url": "http://10.0.0.5/{order}", "headers": {"X-A": "b"}}
    assert "https:// alone" in problems(**clear)
    row(**{**clear, "headers": {}})
    row(**{**clear, "url": "http://127.0.0.1/{order}"})


def test_what_a_server_s_row_needs() -> None:
    with pytest.raises(ConfigError, match="name the tools"):
        row(MCP_ROW, mcp_tools=[])
    with pytest.raises(ConfigError, match="has no arguments"):
        row(MCP_ROW, url="https://mcp.example/{x}")
    with pytest.raises(ConfigError, match="mcp_catalogue"):
        row(MCP_ROW, mcp_catalogue={"name": "stock"})


def test_a_broken_tool_of_a_catalogue_hides_no_other() -> None:
    """Stored by an earlier version, or by hand; all of the row was refused."""
    good = {"name": "stock", "parameters": {"type": "object", "required": []}}
    broken = [
        {"name": "price", "parameters": {"type": "string"}},
        {"name": "colour", "parameters": {"type": "object", "required": [{}]}},
        "nothing",
        {"name": "?!"},
    ]
    names = ["stock", "price", "colour"]
    found = row(MCP_ROW, mcp_tools=names, mcp_catalogue=[*broken, good])
    assert [tool.name for tool in tools_of(OwnFunction(found, None)).values()] == ["shop_stock"]
    told = {one["name"]: one.get("problem") for one in found.mcp_catalogue}
    assert told["stock"] is None
    assert "required must be a list of names" in told["colour"]
    assert "object" in told["price"]


def test_a_schema_that_requires_nothing_is_good() -> None:
    found = row(url="https://crm.example/orders", parameters={**ORDER, "required": []})
    assert found.parameters["required"] == []


def test_no_function_of_ours_can_be_replaced() -> None:
    assert set(registry.BUILT_IN) <= RESERVED


def test_a_server_s_schema_is_said_in_our_words() -> None:
    server = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "sku": {"type": "string", "format": "uuid", "pattern": "^x"},
            "shop": {"anyOf": [{"$ref": "#/$defs/Shop"}, {"type": "null"}], "default": None},
            "mode": {"const": "fast"},
        },
        "required": ["sku"],
        "$defs": {"Shop": {"type": "object", "properties": {"id": {"type": "integer"}}}},
        "additionalProperties": False,
    }
    assert parameters(server) == {
        "type": "object",
        "properties": {
            "sku": {"type": "string"},
            "shop": {
                "default": None, "type": "object", "properties": {"id": {"type": "integer"}}
            },
            "mode": {"enum": ["fast"]},
        },
        "required": ["sku"],
        "additionalProperties": False,
    }  # fmt: skip
    assert parameters({}) == {"type": "object", "properties": {}}
    loop = {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}
    assert parameters({**loop, "$defs": {"A": {"$ref": "#/$defs/A"}}})


def test_of_a_server_only_what_is_allowed_is_kept() -> None:
    told = [
        {"name": "stock", "description": "d" * 5000, "parameters": {"type": "object"}},
        {"name": "drop_tables", "description": "", "parameters": {"type": "object"}},
        {"name": "odd", "parameters": {"type": "string"}},
    ]
    kept, said = catalogue(told, ["stock", "odd", "gone"])
    assert [one["name"] for one in kept] == ["stock"]
    assert len(kept[0]["description"]) == 1000
    assert ["'odd' cannot be offered" in said[0], "no tool 'gone'" in said[1]] == [True, True]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(FUNCTION)), VALUES, max_size=4), st.booleans())
def test_any_stored_value_is_taken_or_refused(changes: dict[str, Any], mcp: bool) -> None:
    try:
        rules.function({**(MCP_ROW if mcp else HTTP_ROW), **changes}, [])
    except ConfigError as error:
        assert error.problems
