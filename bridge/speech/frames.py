"""Frames between the bridge and the local speech process. Pure.

A frame is the length of its payload in four bytes, most significant first, one byte of kind, and
the payload. The client begins with HELLO, a JSON object of `service` and `options`; the process
answers READY, or REFUSED with a text, and closes. Then both send TEXT and BINARY messages.
"""

from __future__ import annotations

import enum
import struct

from bridge.errors import RemoteProtocolError

MAX_PAYLOAD_BYTES = 1 << 20
_HEAD = struct.Struct(">IB")


class Kind(enum.IntEnum):
    """What a frame is."""

    HELLO = 0
    READY = 1
    REFUSED = 2
    TEXT = 3
    BINARY = 4


_KINDS = {kind.value: kind for kind in Kind}


def encode_frame(kind: Kind, payload: bytes) -> bytes:
    """One frame. The payload is not longer than `MAX_PAYLOAD_BYTES`."""
    return _HEAD.pack(len(payload), kind) + payload


class SpeechFrameParser:
    """Bytes cut anywhere to frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def receive_data(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """Take some bytes; the frames they complete.

        Raises:
            RemoteProtocolError: an unknown kind, or a payload that is too long.
        """
        buffer = self._buffer
        buffer += data
        frames: list[tuple[Kind, bytes]] = []
        at = 0
        while len(buffer) - at >= _HEAD.size:
            length, number = _HEAD.unpack_from(buffer, at)
            if length > MAX_PAYLOAD_BYTES or number not in _KINDS:
                raise RemoteProtocolError(f"speech frame of kind {number}, {length} bytes")
            end = at + _HEAD.size + length
            if len(buffer) < end:
                break
            frames.append((_KINDS[number], bytes(buffer[at + _HEAD.size : end])))
            at = end
        del buffer[:at]
        return frames
