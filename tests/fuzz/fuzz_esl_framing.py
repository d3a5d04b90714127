"""Event Socket framing and views against any bytes.

Run for long with a coverage-guided fuzzer: ``python -m tests.fuzz.fuzz_esl_framing CORPUS_DIR``
(needs the package `atheris`); `test_fuzz_esl_framing` runs it briefly.
"""

from __future__ import annotations

import sys

from esl_controller.esl import framing
from esl_controller.esl.errors import CommandFailed, RemoteProtocolError
from esl_controller.esl.events import ChannelData, DisconnectNotice, Event, Reply
from esl_controller.esl.framing import Framer, Message, serialise

VIEWS = (Event, Reply, ChannelData, DisconnectNotice)


def test_one_input(data: bytes) -> None:
    """Raise `AssertionError`, or anything else, only if framing is broken.

    The first byte says where the rest is cut.
    """
    cut, stream = data[:1], data[1:]
    whole, failure = parse([stream])
    step = 1 + (cut[0] if cut else 0)
    pieces = [stream[start : start + step] for start in range(0, len(stream), step)]
    assert parse(pieces) == (whole, failure)
    raw = b"".join(map(serialise, whole))
    assert stream.startswith(raw)
    assert failure or raw == stream
    for message in whole:
        look_at(message)


def parse(pieces: list[bytes]) -> tuple[list[Message], bool]:
    framer, messages = Framer(), []
    failed = False
    try:
        for piece in pieces:
            framer.receive_data(piece)
            assert framer.buffered_bytes <= framing.MAX_BLOCK_BYTES + framing.MAX_BODY_BYTES
        framer.receive_eof()
    except RemoteProtocolError:
        failed = True
    while (message := framer.next_message()) is not None:
        messages.append(message)
    return messages, failed


def look_at(message: Message) -> None:
    assert message.kind
    for view in VIEWS:
        try:
            seen = view.parse(message)
        except (RemoteProtocolError, CommandFailed):
            continue
        if isinstance(seen, Event):
            look_at_event(seen)


def look_at_event(event: Event) -> None:
    assert event.name
    assert len(event.headers) <= framing.MAX_BLOCK_LINES
    for name, value in event.headers.items():
        assert isinstance(value, str)
        assert name in event.headers or not name.isascii()
    for read in (event.json_body, lambda: event.dtmf_digit):
        try:
            read()
        except RemoteProtocolError:
            continue


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
