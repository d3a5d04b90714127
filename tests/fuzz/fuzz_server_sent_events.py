"""Event streams, and frames of the speech process, against any bytes.

Run for long with a coverage-guided fuzzer: ``python -m tests.fuzz.fuzz_server_sent_events DIR``
(needs the package `atheris`); `test_fuzz_server_sent_events` runs it briefly.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from bridge.errors import RemoteProtocolError
from bridge.speech.frames import SpeechFrameParser
from bridge.wire.server_sent_events import EventStreamParser

LIMIT = 512


def test_one_input(data: bytes) -> None:
    """Raise `AssertionError`, or anything else, only if a parser is broken.

    The first byte says where the rest is cut.
    """
    step, wire = (data[0] + 1, data[1:]) if data else (1, b"")
    pieces = [wire[at : at + step] for at in range(0, len(wire), step)]
    events, _ = parse(EventStreamParser(LIMIT).receive_data, pieces)
    assert all(len(event.data) <= LIMIT for event in events)
    assert all(b"\r" not in event.data for event in events)
    whole, failed = parse(EventStreamParser(LIMIT).receive_data, [wire])
    if not failed:
        assert events == whole
    frames, _ = parse(SpeechFrameParser().receive_data, pieces)
    whole_frames, failed = parse(SpeechFrameParser().receive_data, [wire])
    if not failed:
        assert frames == whole_frames


def parse(receive: Callable[[bytes], list[Any]], pieces: Sequence[bytes]) -> tuple[list[Any], bool]:
    """What came out, and whether the parser gave up."""
    found: list[Any] = []
    try:
        for piece in pieces:
            found += receive(piece)
    except RemoteProtocolError:
        return found, True
    return found, False


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
