"""The schema of an MCP server's tool as a function's parameters. Pure.

Servers write any JSON Schema. What providers take is kept; of the rest what can be said in those
words is said in them, and what cannot is left out: the server checks its arguments itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from esl_controller.tenants.own_functions import MAX_DEPTH, WORDS, schema_problems

MAX_DESCRIPTION = 1000
_REF = "#/$defs/"


def parameters(schema: Any) -> Mapping[str, Any]:
    """A tool's input schema in the words of functions. Raises ValueError where it cannot be."""
    if not isinstance(schema, Mapping):
        raise ValueError("has no schema")
    definitions = schema.get("$defs")
    kept = _simple(schema, definitions if isinstance(definitions, Mapping) else {}, MAX_DEPTH + 4)
    kept = {"type": "object", "properties": {}, **kept}
    if problems := list(schema_problems(kept)):
        raise ValueError(problems[0])
    return kept


def catalogue(
    told: Sequence[Mapping[str, Any]], allowed: Sequence[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """What is kept of a server's list of tools, and a sentence for each allowed one that is not."""
    kept, said = [], []
    known = {str(one.get("name")): one for one in told}
    for name in allowed:
        if name not in known:
            said.append(f"the server has no tool {name!r}")
            continue
        try:
            found = parameters(known[name].get("parameters"))
        except ValueError as error:
            said.append(f"tool {name!r} cannot be offered: {error}")
            continue
        description = str(known[name].get("description") or name)[:MAX_DESCRIPTION]
        kept.append({"name": name, "description": description, "parameters": found})
    return kept, said


def _simple(schema: Any, definitions: Mapping[str, Any], depth: int) -> dict[str, Any]:
    schema = _resolved(schema, definitions, depth)
    if depth <= 0 or not isinstance(schema, Mapping):
        return {}
    kept = {word: schema[word] for word in schema if word in WORDS}
    if "const" in schema:
        kept["enum"] = [schema["const"]]
    if isinstance(kept.get("properties"), Mapping):
        kept["properties"] = {
            str(name): _simple(inner, definitions, depth - 1)
            for name, inner in kept["properties"].items()
        }
    if "items" in kept:
        kept["items"] = _simple(kept["items"], definitions, depth - 1)
    if not isinstance(kept.get("additionalProperties", True), bool):
        del kept["additionalProperties"]
    if kept.get("required") == []:
        del kept["required"]
    return kept


def _resolved(schema: Any, definitions: Mapping[str, Any], depth: int) -> Any:
    """Without `$ref`, and without the null of an optional value."""
    for _ in range(depth):
        if not isinstance(schema, Mapping):
            return schema
        reference = schema.get("$ref")
        if isinstance(reference, str):
            found = definitions.get(reference.removeprefix(_REF))
            beside = {word: schema[word] for word in schema if word != "$ref"}
            schema = {**(found if isinstance(found, Mapping) else {}), **beside}
            continue
        several = schema.get("anyOf", schema.get("oneOf"))
        if not isinstance(several, list):
            return schema
        real = [one for one in several if one != {"type": "null"}]
        if len(real) != 1 or not isinstance(real[0], Mapping):
            return schema
        schema = {**schema, **real[0], "anyOf": None, "oneOf": None}
    return schema
