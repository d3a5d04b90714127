"""Whether a model's arguments are what a function's JSON Schema says. Pure.

The part of JSON Schema 2020-12 that providers accept in a function's parameters. Words of a schema
that are not listed here are refused when the schema is read, so that no rule is silently not kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping
from typing import Any

MAX_DEPTH = 16
_ANNOTATIONS = frozenset({"description", "title", "default", "examples"})


class SchemaUnsupported(ValueError):
    """A schema with a rule we do not check."""


def problem(value: Any, schema: Mapping[str, Any], *, suggested: Container[str] = ()) -> str | None:
    """What is wrong with `value`, in words for the model; None when it fits.

    Args:
        suggested: properties of the outermost object whose `enum` is advice, not a rule.

    Raises:
        SchemaUnsupported: the schema holds a rule that is not checked here.
    """
    return _problem(value, schema, "", suggested, MAX_DEPTH)


def _problem(
    value: Any, schema: Mapping[str, Any], path: str, suggested: Container[str], depth: int
) -> str | None:
    if depth == 0:
        return f"{path or 'The arguments'}: nested too deeply."
    for rule, wanted in schema.items():
        if rule in _ANNOTATIONS or (rule == "enum" and path in suggested):
            continue
        if rule in _NESTED:
            found = _NESTED[rule](value, wanted, schema, path, suggested, depth)
        elif rule in _RULES:
            found = _RULES[rule](value, wanted)
            found = None if found is None else f"{path or 'The arguments'} {found}."
        else:
            raise SchemaUnsupported(f"{path or 'parameters'}: {rule!r}")
        if found is not None:
            return found
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    # 1.0 is an integer to JSON Schema (2020-12 core, 4.2.2).
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
}


def _type(value: Any, wanted: Any) -> str | None:
    names = [wanted] if isinstance(wanted, str) else wanted
    if any(_TYPES[name](value) for name in names):
        return None
    return f"must be of type {' or '.join(names)}"


def _enum(value: Any, wanted: Any) -> str | None:
    return None if value in wanted else f"must be one of {', '.join(map(str, wanted))}"


def _length(least: bool) -> Callable[[Any, Any], str | None]:
    def check(value: Any, wanted: Any) -> str | None:
        if not isinstance(value, str | list) or (
            len(value) >= wanted if least else len(value) <= wanted
        ):
            return None
        return f"must have at {'least' if least else 'most'} {wanted}"

    return check


def _bound(least: bool) -> Callable[[Any, Any], str | None]:
    def check(value: Any, wanted: Any) -> str | None:
        if not _is_number(value) or (value >= wanted if least else value <= wanted):
            return None
        return f"must be at {'least' if least else 'most'} {wanted}"

    return check


def _required(value: Any, wanted: Any) -> str | None:
    missing = [name for name in wanted if isinstance(value, Mapping) and name not in value]
    return f"must have {', '.join(missing)}" if missing else None


def _properties(
    value: Any,
    wanted: Any,
    schema: Mapping[str, Any],
    path: str,
    suggested: Container[str],
    depth: int,
) -> str | None:
    if not isinstance(value, Mapping):
        return None
    for name, inner in wanted.items():
        inner_path = f"{path}.{name}" if path else name
        if name in value:
            found = _problem(value[name], inner, inner_path, suggested, depth - 1)
            if found is not None:
                return found
    return None


def _items(
    value: Any,
    wanted: Any,
    schema: Mapping[str, Any],
    path: str,
    suggested: Container[str],
    depth: int,
) -> str | None:
    for number, item in enumerate(value if isinstance(value, list) else ()):
        found = _problem(item, wanted, f"{path}[{number}]", suggested, depth - 1)
        if found is not None:
            return found
    return None


def _additional(
    value: Any,
    wanted: Any,
    schema: Mapping[str, Any],
    path: str,
    suggested: Container[str],
    depth: int,
) -> str | None:
    if wanted is not False or not isinstance(value, Mapping):
        return None
    unknown = [name for name in value if name not in schema.get("properties", {})]
    return f"{path or 'The arguments'} must not have {str(unknown[0])[:64]!r}." if unknown else None


_RULES: Mapping[str, Callable[[Any, Any], str | None]] = {
    "type": _type,
    "enum": _enum,
    "required": _required,
    "minLength": _length(least=True),
    "maxLength": _length(least=False),
    "minItems": _length(least=True),
    "maxItems": _length(least=False),
    "minimum": _bound(least=True),
    "maximum": _bound(least=False),
}
_NESTED: Mapping[str, Callable[..., str | None]] = {
    "properties": _properties,
    "items": _items,
    "additionalProperties": _additional,
}
