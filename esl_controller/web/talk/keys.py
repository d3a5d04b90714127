"""What a page may say in text: a key that was pressed."""

from __future__ import annotations

import msgspec

MAX_TOLD_BYTES = 1024
_KEYS = frozenset("0123456789*#")


class _Told(msgspec.Struct):
    digit: str = ""


def pressed(payload: bytes) -> str | None:
    """The key; None for anything else, which is not looked at."""
    if len(payload) > MAX_TOLD_BYTES:
        return None
    try:
        digit = msgspec.json.decode(payload, type=_Told).digit
    except msgspec.DecodeError:
        return None
    return digit if digit in _KEYS else None
