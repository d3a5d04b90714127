"""Gemini Live: JSON Schema of a function's arguments in the part of it that Gemini understands.

`functionDeclarations.parameters` is Google's `Schema` (OpenAPI 3.0): a field it does not know
costs the whole session (close 1007), so what has no equivalent is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_DEPTH = 16
"""Deeper, or circular, schemas end as objects of any shape."""

_TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object"})
_KEPT = (
    "title",
    "description",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "default",
)
_FORMATS = {
    "STRING": frozenset({"enum", "date-time"}),
    "INTEGER": frozenset({"int32", "int64"}),
    "NUMBER": frozenset({"float", "double"}),
}
Schema = Mapping[str, Any]


def gemini_parameters(schema: Schema) -> dict[str, Any] | None:
    """The arguments' schema; None for a function without arguments, which has none at Google."""
    converted = _convert(schema, schema, 0)
    return converted if converted.get("properties") else None


def _convert(schema: Any, root: Schema, depth: int) -> dict[str, Any]:
    schema = _resolved(schema, root)
    if depth >= MAX_DEPTH or not isinstance(schema, Mapping):
        return {"type": "OBJECT" if depth < MAX_DEPTH else "STRING"}
    made = {name: schema[name] for name in _KEPT if name in schema}
    made |= _type(schema) | _choices(schema, root, depth)
    if isinstance(schema.get("properties"), Mapping):
        inner = schema["properties"].items()
        made["properties"] = {str(name): _convert(one, root, depth + 1) for name, one in inner}
        required = schema.get("required")
        if isinstance(required, list | tuple):
            made["required"] = [name for name in required if name in made["properties"]]
    if made.get("type") == "ARRAY":
        made["items"] = _convert(schema.get("items", {"type": "string"}), root, depth + 1)
    return _with_values(made, schema)


def _type(schema: Schema) -> dict[str, Any]:
    """`type`, which may be a list in JSON Schema and never holds `null` at Google."""
    given = schema.get("type")
    names = [name for name in (given if isinstance(given, list | tuple) else [given]) if name]
    known = [name for name in names if name in _TYPES]
    if not known and "properties" in schema:
        known = ["object"]
    made: dict[str, Any] = {"nullable": True} if "null" in names else {}
    if len(known) > 1:
        return made | {"anyOf": [{"type": name.upper()} for name in known]}
    if known:
        made["type"] = known[0].upper()
        if schema.get("format") in _FORMATS.get(made["type"], ()):
            made["format"] = schema["format"]
    return made


def _choices(schema: Schema, root: Schema, depth: int) -> dict[str, Any]:
    """`anyOf` and `oneOf`; a choice of null makes the value nullable."""
    given = schema.get("anyOf") or schema.get("oneOf")
    if not isinstance(given, list | tuple):
        return {}
    nulls = [one for one in given if isinstance(one, Mapping) and one.get("type") == "null"]
    others = [_convert(one, root, depth + 1) for one in given if one not in nulls]
    nullable = {"nullable": True} if nulls else {}
    return (others[0] if len(others) == 1 else {"anyOf": others}) | nullable


def _with_values(made: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """`enum` and `const`: values are texts at Google; others are told in the description."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if not isinstance(values, list | tuple) or not values:
        return made
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len([value for value in values if value is not None]):
        return made | {"type": "STRING", "enum": texts}
    allowed = ", ".join(str(value) for value in values)
    description = f"{made.get('description', '')} One of: {allowed}.".strip()
    return {"type": "STRING"} | made | {"description": description}


def _resolved(schema: Any, root: Schema) -> Any:
    """What a `$ref` into the same document points to."""
    for _ in range(MAX_DEPTH):
        target = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(target, str) or not target.startswith("#/"):
            return schema
        schema = root
        for step in target[2:].split("/"):
            schema = schema.get(step) if isinstance(schema, Mapping) else None
    return None
