"""What a conversation has had done that must not be done twice. Pure.

Models ask again: after an answer that was cut off, when a provider takes over, or because they
have forgotten. Equal arguments are the same wish, whatever the provider calls it, until something
else has been done in between.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec


class Repeats:
    """Of one conversation."""

    def __init__(self, conversation_uuid: str) -> None:
        self._conversation_uuid = conversation_uuid
        self._keys: dict[bytes, str] = {}
        self._last: tuple[bytes, Mapping[str, Any]] | None = None

    def key(self, name: str, arguments: Any, call_id: str) -> str:
        """The idempotency key of a wish: that of its first attempt."""
        wish = _wish(name, arguments)
        if wish not in self._keys:
            key = f"{self._conversation_uuid}:{call_id}"
            taken = key in self._keys.values()  # some providers number calls anew in each answer
            self._keys[wish] = f"{key}:{len(self._keys)}" if taken else key
        return self._keys[wish]

    def done(self, name: str, arguments: Any) -> Mapping[str, Any] | None:
        """What came of it, where it was the last that was done."""
        if self._last is not None and self._last[0] == _wish(name, arguments):
            return self._last[1]
        return None

    def completed(self, name: str, arguments: Any, result: Mapping[str, Any]) -> None:
        """It is done; asked for again after something else, it is a new wish."""
        wish = _wish(name, arguments)
        if self._last is not None and self._last[0] != wish:
            self._keys.pop(self._last[0], None)
        self._last = (wish, result)


def _wish(name: str, arguments: Any) -> bytes:
    body = msgspec.json.encode([name, arguments], order="deterministic")
    return hashlib.sha256(body).digest()
