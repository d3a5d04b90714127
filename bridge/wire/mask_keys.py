"""Keys that a client masks its WebSocket frames with."""

from __future__ import annotations

import os


class _MaskKeys:
    """Unpredictable mask keys (RFC 6455 section 10.3) without a system call for each frame."""

    def __init__(self) -> None:
        self._pool = b""
        self._next = 0

    def take(self) -> bytes:
        """Four bytes never used before."""
        start = self._next
        if start >= len(self._pool):
            self._pool = os.urandom(4096)
            start = 0
        self._next = start + 4
        return self._pool[start : start + 4]


mask_keys = _MaskKeys()
