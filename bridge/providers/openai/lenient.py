"""Reads a server message that strict parsing refused, and keeps whatever of it makes sense.

Look-alike servers cut characters in two, put numbers where texts belong, send NaN, or leave an
object out. Strict parsing comes first and costs nothing; this is for the message it refused.
"""

from __future__ import annotations

import functools
import json
import math
import types
from collections.abc import Callable
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

MAX_BYTES = 65536
"""Longer messages are given up: reading them in this way would hold the hub."""
_T = TypeVar("_T")
_UNFIT = object()


def parsed(data: bytes) -> dict[str, Any] | None:
    """The JSON object in `data`, with U+FFFD for halves of characters and null for NaN.

    None when there is none, or when `data` is too long.
    """
    if len(data) > MAX_BYTES:
        return None
    try:
        text = data.decode("utf-8-sig", "replace")
        found = json.loads(text, strict=False, parse_constant=_null, parse_float=_finite)
        whole = json.dumps(found, ensure_ascii=False)
        whole = whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        found = msgspec.json.decode(whole)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def fitted(message: dict[str, Any], struct: Callable[..., _T]) -> _T:
    """A structure from an object; a field whose value is of the wrong type keeps its default.

    Raises `TypeError` when a field without a default is missing.
    """
    found: dict[str, Any] = {}
    for name, members in _fields(struct):
        value = _fitting(message[name], members) if name in message else _UNFIT
        if value is not _UNFIT:
            found[name] = value
    return struct(**found)


@functools.cache
def _fields(struct: Any) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """Name and possible types of each field."""
    return tuple((field.name, _members(field.type)) for field in msgspec.structs.fields(struct))


def _members(wanted: Any) -> tuple[Any, ...]:
    return get_args(wanted) if get_origin(wanted) in (Union, types.UnionType) else (wanted,)


def _fitting(value: Any, members: tuple[Any, ...]) -> Any:
    for member in members:
        found = _as(value, member)
        if found is not _UNFIT:
            return found
    return _UNFIT


def _as(value: Any, wanted: Any) -> Any:
    """`value` as the type `wanted`, or `_UNFIT`."""
    if wanted is Any:
        return value
    if wanted is msgspec.Raw:
        return msgspec.Raw(msgspec.json.encode(value))
    if get_origin(wanted) is list:
        (entry,) = get_args(wanted)
        return _list(value, entry) if isinstance(value, list) else _UNFIT
    if isinstance(value, dict) and isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        return _struct(value, wanted)
    if wanted is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    try:
        return msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError:
        return _UNFIT


def _list(values: list[Any], entry: Any) -> list[Any]:
    found = (_as(value, entry) for value in values)
    return [value for value in found if value is not _UNFIT]


def _struct(value: dict[str, Any], wanted: type) -> Any:
    try:
        return fitted(value, wanted)
    except TypeError:
        return _UNFIT


def _null(constant: str) -> None:
    return None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None
