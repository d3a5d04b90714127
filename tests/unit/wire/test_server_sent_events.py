"""Event streams: whatever the line ends, and wherever the bytes are cut."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RemoteProtocolError
from bridge.wire.server_sent_events import EventStreamParser, ServerSentEvent


def parse(*pieces: bytes, limit: int = 1 << 20) -> list[ServerSentEvent]:
    parser = EventStreamParser(limit)
    return [event for piece in pieces for event in parser.receive_data(piece)]


def by_the_book(stream: bytes) -> list[ServerSentEvent]:
    """The standard's own steps on a whole stream: split into lines, then interpret each."""
    lines = re.split(rb"\r\n|\r|\n", stream.removeprefix(b"\xef\xbb\xbf"))
    events, data, name = [], None, b""
    for line in lines[:-1]:
        if not line:
            if data is not None:
                events.append(ServerSentEvent(data, name or b"message"))
            data, name = None, b""
            continue
        field, _, value = line.partition(b":")
        value = value[1:] if value[:1] == b" " else value
        if field == b"data":
            data = value if data is None else data + b"\n" + value
        elif field == b"event":
            name = value
    return events


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"data: one\n\ndata: two\n\n", [b"one", b"two"]),
        (b"data:one\r\rdata:two\r\n\r\n", [b"one", b"two"]),
        (b"\xef\xbb\xbfdata: x\n\n", [b"x"]),
        (b"data: a\ndata: b\ndata\n\n", [b"a\nb\n"]),
        (b": comment\n\n:\ndata: x\n: y\n\n", [b"x"]),
        (b"id: 7\nretry: 10\nother\n\n", []),
        (b"data:  two blanks\n\n", [b" two blanks"]),
        (b"data: [DONE]\n\n", [b"[DONE]"]),
        (b"data:\n\n", [b""]),
        (b"data: never ended", []),
        (b"data: never ended\n", []),
        (b"", []),
        (b"\xef\xbb", []),
        (b"data: \xff\xfe\n\n", [b"\xff\xfe"]),
    ],
)
def test_streams(stream: bytes, data: list[bytes]) -> None:
    assert [event.data for event in parse(stream)] == data
    assert [event.data for event in parse(*(bytes([byte]) for byte in stream))] == data


def test_the_name_of_an_event_is_its_own() -> None:
    assert parse(b"event: error\ndata: a\n\ndata: b\n\nevent: lost\n\ndata: c\n\n") == [
        ServerSentEvent(b"a", b"error"),
        ServerSentEvent(b"b"),
        ServerSentEvent(b"c"),
    ]


@pytest.mark.parametrize(
    "stream",
    [b"data: " + b"x" * 101, b"data: " + b"x" * 40 + b"\ndata: " + b"x" * 70 + b"\n", b":" * 101],
    ids=["line", "event", "comment"],
)
def test_what_is_too_long_ends_the_stream(stream: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(stream, limit=100)


def test_many_small_events_are_no_long_one() -> None:
    assert len(parse(b"data: x\n\n" * 1000, limit=100)) == 1000


line = st.one_of(
    st.builds(
        lambda field, blank, value: field + b":" + blank + value,
        st.sampled_from([b"data", b"event", b"id", b"", b"datum"]),
        st.sampled_from([b"", b" ", b"  "]),
        st.binary(max_size=8).map(lambda value: re.sub(rb"[\r\n]", b"", value)),
    ),
    st.sampled_from([b"", b"data", b"event", b":"]),
)
stream = st.builds(
    lambda bom, lines: bom + b"".join(text + end for text, end in lines),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.tuples(line, st.sampled_from([b"\n", b"\r", b"\r\n"])), max_size=20),
)


@given(stream | st.binary(max_size=60), st.lists(st.integers(0, 80), max_size=8))
def test_any_stream_cut_anywhere_is_read_as_the_standard_says(
    whole: bytes, places: list[int]
) -> None:
    cuts = [0, *sorted(places), len(whole)]
    pieces = [whole[a:b] for a, b in itertools.pairwise(cuts)]
    expected = by_the_book(whole)
    if whole.endswith(b"\r"):  # its CR ends a line already, as it must
        assert parse(*pieces)[: len(expected)] == expected
    else:
        assert parse(*pieces) == expected
