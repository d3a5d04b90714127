"""OpenAI Realtime: one setting the server does not take costs that setting, not the call."""

from __future__ import annotations

import copy
import re
from typing import Any

MAX_REMOVED = 8
"""A server that refuses more than this wants another kind of session."""

_ESSENTIAL = frozenset(
    {
        "type",
        "model",
        "instructions",
        "output_modalities",
        "modalities",
        "input_audio_format",
        "output_audio_format",
        "format",
    }
)
"""Without these, or with the server's own choice of them, the call would be noise or a stranger."""
_HOLDS_ESSENTIAL = frozenset({("audio",), ("audio", "input"), ("audio", "output")})
_NAMED = re.compile(r"'(session\.[A-Za-z0-9_.\[\]]{1,200})'")
_STEP = re.compile(r"([A-Za-z0-9_]+)|\[(\d{1,4})\]")


def without(settings: dict[str, Any], param: str, message: str) -> dict[str, Any] | None:
    """`settings` without what the server refused; None when that cannot be left out.

    `param` is `error.param`, for instance `session.audio.output.voice` or `session.tools[0].name`;
    where it is missing, the path may be quoted in `message`. Of a list the whole entry goes.
    """
    path = _path(param, message)
    if not path or tuple(path) in _HOLDS_ESSENTIAL or _ESSENTIAL & {str(step) for step in path}:
        return None
    reduced = copy.deepcopy(settings)
    below: Any = reduced
    for step in path[:-1]:
        below = _child(below, step)
    if _child(below, path[-1]) is None and not _holds_null(below, path[-1]):
        return None
    del below[path[-1]]
    return reduced


def _path(param: str, message: str) -> list[str | int]:
    if not param.startswith("session."):
        found = _NAMED.search(message)
        param = found.group(1) if found else ""
    path: list[str | int] = []
    for name, index in _STEP.findall(param.removeprefix("session.")[:200]):
        if index:
            return [*path, int(index)]
        path.append(name)
    return path


def _child(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def _holds_null(value: Any, step: str | int) -> bool:
    return isinstance(value, dict) and step in value
