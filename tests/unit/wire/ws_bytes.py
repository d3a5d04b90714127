"""Frames built without the code under test, and the ways bytes can be cut."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

from hypothesis import strategies as st

from bridge.errors import RemoteProtocolError
from bridge.wire.frames import FrameLimits, FrameParser, Message, Role

KEY = b"\x37\xfa\x21\x3d"
"""The key of the examples in RFC 6455 section 5.7."""


def masked(payload: bytes, key: bytes = KEY) -> bytes:
    """RFC 6455 section 5.3, literally."""
    return bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, mask: bool = True, rsv: int = 0
) -> bytes:
    """One frame, well-formed or not, with the shortest length field."""
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    bit = 0x80 if mask else 0
    size = len(payload)
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 65536:
        head = bytes((first, bit | 126)) + struct.pack("!H", size)
    else:
        head = bytes((first, bit | 127)) + struct.pack("!Q", size)
    return head + (KEY + masked(payload) if mask else payload)


def cuts(data: bytes, places: list[int]) -> Iterator[bytes]:
    """`data` in pieces, cut at `places`."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    for start, end in itertools.pairwise(edges):
        yield data[start:end]


def parse(
    pieces: Iterator[bytes], role: Role = Role.SERVER, limits: FrameLimits | None = None
) -> tuple[list[Message], int | None, FrameParser]:
    """All messages, the close code of the violation if there was one, and the parser."""
    parser = FrameParser(role, limits or FrameLimits())
    messages: list[Message] = []
    try:
        for piece in pieces:
            messages += parser.receive_data(piece)
    except RemoteProtocolError as error:
        assert parser.failure is error
    failure = parser.failure
    return messages, None if failure is None else failure.close_code, parser


places = st.lists(st.integers(0, 10_000), max_size=12)
