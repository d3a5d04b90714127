"""The messages in one read of a server's link, where it holds nothing but whole ones.

Anything else is for `bridge.wire.frames.FrameParser`; both find the same messages.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.audio import core
from bridge.wire.frames import BINARY, TEXT

_FIN_DATA = (0x80 | TEXT, 0x80 | BINARY)
_LENGTH_16 = 126

Split = Callable[[bytes], list[bytes] | None]


def whole_messages(data: bytes) -> list[bytes] | None:
    """Their payloads; None where there is anything but whole, final, unmasked data frames of less
    than 65,536 bytes."""
    messages, position, size = [], 0, len(data)
    while position < size:
        if size - position < 2 or data[position] not in _FIN_DATA:
            return None
        length, body = data[position + 1], position + 2
        if length == _LENGTH_16 and size - position >= 4:
            length, body = data[position + 2] << 8 | data[position + 3], position + 4
        elif length >= _LENGTH_16:
            return None
        position = body + length
        if position > size:
            return None
        messages.append(data[body:position])
    return messages


def splitter() -> Split:
    """The compiled one where the core is there."""
    split: Split = whole_messages if core.module is None else core.module.whole_messages
    return split
