"""What somebody else's system answered, made fit for a model: data, short, without control
characters. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

MAX_TEXT = 2000
"""Characters of one text."""
MAX_ITEMS = 50
"""Of one list or object."""
MAX_DEPTH = 8
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""Also what only steers how text is shown: invisible to who checks, seen by a model."""
NOT_THERE = object()


def clean(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A JSON value with its texts cleaned and cut, its lists and objects cut."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        if depth == 0:
            return "…"
        items = list(value.items())[:MAX_ITEMS]
        return {clean_text(str(name), 100): clean(inner, depth - 1) for name, inner in items}
    if isinstance(value, list | tuple):
        return [clean(inner, depth - 1) for inner in value[:MAX_ITEMS]] if depth else "…"
    return value


def clean_text(text: str, limit: int = MAX_TEXT) -> str:
    """One text without control characters, at most `limit` of it."""
    text = _CONTROL.sub(" ", text[: 4 * limit]).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def told(value: Any, max_bytes: int) -> dict[str, Any]:
    """What a model is told of an answer: whole, or the beginning of it as text."""
    value = clean(value)
    encoded = msgspec.json.encode(value)
    if len(encoded) <= max_bytes:
        return {"result": value}
    begun = encoded[:max_bytes].decode(errors="ignore")
    return {"result_begins_with": begun, "note": "The rest was too long and is left out."}


def at_pointer(value: Any, segments: list[str]) -> Any:
    """What a JSON Pointer (RFC 6901) names; NOT_THERE where there is nothing."""
    for name in segments:
        if isinstance(value, Mapping) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isascii() and name.isdigit() and len(name) < 6:
            if int(name) >= len(value):
                return NOT_THERE
            value = value[int(name)]
        else:
            return NOT_THERE
    return value
