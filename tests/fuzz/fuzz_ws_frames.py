"""WebSocket frames and the texts inside them against any bytes.

Run for long with a coverage-guided fuzzer: ``python -m tests.fuzz.fuzz_ws_frames CORPUS_DIR``
(needs the package `atheris`); `test_fuzz_ws_frames` runs it briefly.
"""

from __future__ import annotations

import sys

from bridge.errors import RemoteProtocolError
from bridge.wire import frames
from bridge.wire.frames import FrameLimits, FrameParser, Message, Role
from bridge.wire.stream_protocol import parse_text

LIMITS = FrameLimits(max_message_bytes=4096, max_fragments=16)
CLOSE_CODES = (None, 1002, 1007, 1008, 1009)


def test_one_input(data: bytes) -> None:
    """Raise `AssertionError`, or anything else, only if the parser is broken.

    The first byte says which end we are and where the rest is cut.
    """
    first, wire = (data[0], data[1:]) if data else (0, b"")
    role = Role.CLIENT if first & 1 else Role.SERVER
    step = 1 + (first >> 1)
    whole = parse(role, [wire])
    assert parse(role, [wire[at : at + step] for at in range(0, len(wire), step)]) == whole
    messages, close_code = whole
    assert close_code in CLOSE_CODES
    for opcode, payload in messages:
        look_at(opcode, payload)


def parse(role: Role, pieces: list[bytes]) -> tuple[list[Message], int | None]:
    parser, messages = FrameParser(role, LIMITS), []
    try:
        for piece in pieces:
            messages += parser.receive_data(piece)
            assert parser.buffered_bytes <= 2 * LIMITS.max_message_bytes + 14
    except RemoteProtocolError as error:
        assert error is parser.failure
    return messages, parser.failure.close_code if parser.failure else None


def look_at(opcode: int, payload: bytes) -> None:
    if opcode == frames.CLOSE:
        code, _ = frames.decode_close(payload)
        assert code == frames.NO_STATUS or frames.encode_close(code)
        return
    assert len(payload) <= LIMITS.max_message_bytes
    if opcode == frames.TEXT:
        payload.decode()
        parse_text(payload)
    built = frames.client_frame(opcode, payload, b"\x01\x02\x03\x04")
    assert parse(Role.SERVER, [built]) == ([(opcode, payload)], None)


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
