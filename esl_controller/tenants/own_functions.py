"""What a function of a tenant's own is made of: address, places of arguments, result, schema. Pure.

Read when a row is edited, so that everything wrong is told there and then; and by the function that
is called (`tools/http_function.py`), so that both mean the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from esl_controller.tenants.addresses import header_problem, readable_url
from esl_controller.tenants.checks import HEADERS, LIST, OBJECT, Rule, Words, did_you_mean
from esl_controller.tenants.hosts import is_loopback

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
RESERVED = frozenset(
    {
        "book_appointment", "cancel_appointment", "change_language", "check_appointment",
        "create_ticket", "end_call",
        "leave_message", "lookup_customer", "opening_hours", "pause_recording", "refuse_recording",
        "request_callback", "resume_recording", "search_knowledge", "send_dtmf",
        "take_message", "transfer_call",
    }
)  # fmt: skip
"""Names of our own functions, whether or not a secretary has them."""
KNOWN = ("$caller_number", "$conversation_uuid")
"""What the call knows and the model need not say; may be placed as arguments are."""
PROBLEM = "problem"
"""Of a tool in a stored catalogue that cannot be offered: why."""
KEY = "{key}"
"""In a header: the credential."""

MAX_ARGUMENTS = 40
MAX_SCHEMA_BYTES = 16_384
MAX_DEPTH = 6
MAX_RESULT_FIELDS = 40
MAX_TOOLS = 32
"""Of one MCP server: what a model is told of them is paid for with each answer."""
_ARGUMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_POINTER = re.compile(r"(/[^/\x00-\x1f]{0,100}){0,8}")
_TOOL = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
WORDS = frozenset(
    {
        "type", "enum", "description", "title", "default", "examples", "properties", "required",
        "items", "additionalProperties", "minLength", "maxLength", "minItems", "maxItems",
        "minimum", "maximum",
    }
)  # fmt: skip
"""Of JSON Schema 2020-12: what every provider takes in a function, and is checked here."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an argument goes in a request."""

    part: str
    """path | query | body"""
    name: str
    """In a query; a JSON Pointer (RFC 6901) in a body."""


def place(argument: str, text: str) -> Place:
    """Read `path`, `query`, `query:name`, `body` or `body:/pointer`. Raises ValueError."""
    part, _, name = text.partition(":")
    own = argument.lstrip("$")
    if text == "path" or (part == "query" and (name or text == part)):
        return Place(part, name or own)
    if part == "body" and (text == part or (name and _POINTER.fullmatch(name))):
        return Place(part, name or f"/{own}")
    raise ValueError(f"{argument}: must be path, query, query:name, body or body:/pointer")


def placeholders(url: str) -> tuple[str, ...]:
    """Names in braces, in their order."""
    return tuple(_PLACEHOLDER.findall(url))


def without_arguments(url: str) -> str:
    """An address with a word in place of each of its arguments."""
    return _PLACEHOLDER.sub("x", url)


def places(row: Any) -> dict[str, Place]:
    """Where each argument of a row goes: as the row says, into the address, else by the method."""
    in_url = placeholders(row.url)
    usual = "query" if row.http_method in ("GET", "DELETE") else "body"
    said = {name: place(name, text) for name, text in row.argument_places.items()}
    for name in row.parameters.get("properties", {}):
        said.setdefault(name, place(name, "path" if name in in_url else usual))
    return said


def segments(pointer: str) -> list[str]:
    """The names in a JSON Pointer."""
    return [one.replace("~1", "/").replace("~0", "~") for one in pointer.split("/")[1:]]


# --- what is wrong with a column ----------------------------------------------------------------


def _read_name(value: Any) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise ValueError("must be lower-case letters, digits and _, at most 32, a letter first")
    if value in RESERVED:
        raise ValueError(f"is {value!r}, which is the name of a function of ours")
    return value


def _read_template(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be an http:// or https:// address")
    filled = without_arguments(value)
    parts = readable_url(filled)
    if "{" in filled or "}" in filled:
        raise ValueError("has a brace too many")
    named = [name for name in placeholders(value) if not _ARGUMENT.fullmatch(name.lstrip("$"))]
    if named:
        raise ValueError(f"{named[0]!r:.60} in braces is no name of an argument")
    head = value[: len(value) - len(value.split("://", 1)[1].partition("/")[2])]
    if _PLACEHOLDER.search(head) or _PLACEHOLDER.search(value.partition("?")[2]):
        raise ValueError("may have arguments in its path alone; see argument_places")
    if parts.fragment:
        raise ValueError("must not have a #fragment")
    return value


def _read_schema(value: Any) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = OBJECT.read(value)
    problems = list(schema_problems(schema))
    if problems:
        raise ValueError("; ".join(problems[:8]))
    return schema


def schema_problems(schema: Mapping[str, Any]) -> Iterator[str]:
    """Everything that keeps a JSON Schema from being the arguments of a function."""
    if not schema:
        return
    if len(json.dumps(schema, ensure_ascii=False).encode()) > MAX_SCHEMA_BYTES:
        yield f"must have at most {MAX_SCHEMA_BYTES} bytes"
        return
    if schema.get("type") != "object":
        yield 'must be an object: {"type": "object", "properties": {…}}'
    properties = schema.get("properties", {})
    if isinstance(properties, Mapping):
        if len(properties) > MAX_ARGUMENTS:
            yield f"must have at most {MAX_ARGUMENTS} properties"
        for name in properties:
            if not _ARGUMENT.fullmatch(name):
                yield f"{name!r:.60} is no name of an argument: letters, digits and _"
    yield from _schema_problems(schema, "", MAX_DEPTH)


def _schema_problems(schema: Any, path: str, depth: int) -> Iterator[str]:
    where = path or "the schema"
    if not isinstance(schema, Mapping):
        yield f"{where}: must be a JSON object"
        return
    if depth == 0:
        yield f"{where}: is nested too deeply"
        return
    for word in sorted(schema.keys() - WORDS):
        yield f"{where}: {word!r:.40} is not used in functions{did_you_mean(word, WORDS)}"
    types = schema.get("type", [])
    for one in [types] if isinstance(types, str) else types if isinstance(types, list) else [types]:
        if one not in _TYPES:
            yield f"{where}: type {one!r:.40} must be one of {', '.join(_TYPES)}"
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        yield f"{where}: enum must be a list that is not empty"
    required = schema.get("required", [])
    if not (isinstance(required, list) and all(isinstance(one, str) for one in required)):
        yield f"{where}: required must be a list of names"
        required = []
    yield from _number_problems(schema, where)
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping):
        yield f"{where}: properties must be a JSON object"
        return
    for name in required:
        if name not in properties:
            yield f"{where}: requires {name!r:.60}, which is none of its properties"
    for name, inner in properties.items():
        yield from _schema_problems(inner, f"{path}.{name}" if path else name, depth - 1)
    if "items" in schema:
        yield from _schema_problems(schema["items"], f"{path}[]", depth - 1)


def _number_problems(schema: Mapping[str, Any], where: str) -> Iterator[str]:
    for word in ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"):
        value = schema.get(word, 0)
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"{where}: {word} must be a number"
    if not isinstance(schema.get("additionalProperties", False), bool):
        yield f"{where}: additionalProperties must be true or false"


def _read_places(value: Any) -> Mapping[str, str]:
    wrong = []
    for argument, text in OBJECT.read(value).items():
        try:
            if argument.startswith("$") and argument not in KNOWN:
                raise ValueError(f"{argument!r:.60} is not one of {', '.join(KNOWN)}")
            place(argument, text if isinstance(text, str) else "")
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("; ".join(wrong[:8]))
    return dict(value)


def _read_fields(value: Any) -> Mapping[str, str]:
    fields: Mapping[str, str] = OBJECT.read(value)
    if len(fields) > MAX_RESULT_FIELDS:
        raise ValueError(f"must have at most {MAX_RESULT_FIELDS}")
    for name, pointer in fields.items():
        if not _ARGUMENT.fullmatch(name):
            raise ValueError(f"{name!r:.60} is no name: letters, digits and _")
        if not isinstance(pointer, str) or not _POINTER.fullmatch(pointer):
            raise ValueError(f"{name}: must be a JSON Pointer such as /customer/name")
    return fields


def _read_own_headers(value: Any) -> Mapping[str, str]:
    headers = HEADERS.read(value)
    for name, content in headers.items():
        if problem := header_problem(name, content):
            raise ValueError(problem)
    return dict(headers)


def _read_tools(value: Any) -> Sequence[str]:
    tools = LIST.read(value)
    if len(tools) > MAX_TOOLS:
        raise ValueError(f"must be a JSON list of at most {MAX_TOOLS} names")
    for tool in tools:
        if not isinstance(tool, str) or not _TOOL.fullmatch(tool):
            raise ValueError(f"{tool!r:.60} is no name of a tool")
    return tuple(tools)


def _read_catalogue(value: Any) -> Sequence[Mapping[str, Any]]:
    """Each tool that can be offered, and of each other its name and its PROBLEM: one that is broken
    hides none of the rest."""
    return tuple(_read_tool(one) for one in LIST.read(value))


def _read_tool(tool: Any) -> Mapping[str, Any]:
    if not isinstance(tool, Mapping) or not _TOOL.fullmatch(str(tool.get("name"))):
        return {"name": "", PROBLEM: "is no tool as a server tells it"}
    wrong = next(schema_problems(tool.get("parameters") or {}), None)
    return tool if wrong is None else {"name": tool["name"], PROBLEM: wrong}


FUNCTION_NAME = Rule(_read_name, Words("name such as `order_status`", "nome como `status_pedido`"))
TEMPLATE = Rule(
    _read_template,
    Words("address, `https://crm.example/orders/{id}`", "endereço, `https://crm.exemplo/p/{id}`"),
)
SCHEMA = Rule(_read_schema, Words("JSON Schema of an object", "JSON Schema de um objeto"))
PLACES = Rule(
    _read_places,
    Words('`{"since": "query:from"}`', '`{"desde": "query:from"}`'),
)
FIELDS = Rule(_read_fields, Words('`{"name": "/customer/name"}`', '`{"nome": "/cliente/nome"}`'))
OWN_HEADERS = Rule(
    _read_own_headers,
    Words('`{"Authorization": "Bearer {key}"}`', '`{"Authorization": "Bearer {key}"}`'),
)
CATALOGUE = Rule(_read_catalogue, Words("JSON list of tools", "lista JSON de ferramentas"))
TOOLS = Rule(_read_tools, Words("JSON list of names", "lista JSON de nomes"))


# --- what is wrong with a whole row ------------------------------------------------------------


def problems(row: Any) -> Iterator[str]:
    """Of a `FunctionRow` whose columns are good alone: what does not go together."""
    uses_key = any(KEY in value for value in row.headers.values())
    if row.credential and not uses_key:
        yield f'a key is stored, and no header holds {KEY}: {{"Authorization": "Bearer {KEY}"}}'
    if uses_key and not row.credential:
        yield f"headers: {KEY} stands for a key, and none is stored"
    parts = readable_url(without_arguments(row.url))
    if row.headers and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        yield "url: headers and keys go over https:// alone"
    yield from _mcp_problems(row) if row.function_kind == "mcp" else _http_problems(row)


def _mcp_problems(row: Any) -> Iterator[str]:
    if placeholders(row.url):
        yield "url: the address of an MCP server has no arguments"
    if not row.mcp_tools:
        yield "mcp_tools: name the tools of the server that may be called"


def _http_problems(row: Any) -> Iterator[str]:
    known = row.parameters.get("properties", {})
    named = {**dict.fromkeys(placeholders(row.url)), **row.argument_places}
    for name in named:
        if name not in known and name not in KNOWN:
            yield f"{name!r:.60} is placed, and is no property of parameters"
    for name, where in places(row).items():
        if (where.part == "path") != (name in placeholders(row.url)):
            yield f"{name!r:.60} goes into the path, or stands in it, and not both"
        if where.part == "body" and row.http_method in ("GET", "DELETE"):
            yield f"{name!r:.60} goes into the body, and {row.http_method} has none"
    required = row.parameters.get("required", [])
    for name in placeholders(row.url):
        if name in known and name not in required:
            yield f"{name!r:.60} stands in the address: parameters must require it"
