"""Protobuf's JSON: names in camelCase or snake_case, base64 in either alphabet."""

from __future__ import annotations

import re
from typing import Any

import pybase64

_UNDERSCORE = re.compile(r"_([a-z0-9])")
_AS_THEY_ARE = frozenset({"args", "response", "properties", "labels", "parametersJsonSchema"})
"""Objects whose keys are the client's own."""


def camel(value: Any) -> Any:
    """The same message with every field name in camelCase."""
    if isinstance(value, list):
        return [camel(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for name, inner in value.items():
        key = _UNDERSCORE.sub(lambda found: found.group(1).upper(), name)
        made[key] = _own_keys(key, inner) if key in _AS_THEY_ARE else camel(inner)
    return made


def _own_keys(key: str, value: Any) -> Any:
    """Keys are left alone; under `properties` each value is a schema again."""
    if key == "properties" and isinstance(value, dict):
        return {name: camel(inner) for name, inner in value.items()}
    return value


def base64_bytes(text: object) -> bytes | None:
    """Decoded; None when it is no base64."""
    if not isinstance(text, str):
        return None
    try:
        return pybase64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        return None
