from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl_controller.esl import framing
from esl_controller.esl.errors import LocalProtocolError, RemoteProtocolError
from esl_controller.esl.framing import (
    FOLD_BYTES,
    Framer,
    Headers,
    Message,
    encode_headers,
    serialise,
)

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,10}", fullmatch=True).filter(
    lambda name: name.lower() not in ("content-length", "content-type", "event-name")
)
raw_values = st.text(
    st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def wire_messages(draw) -> bytes:
    """Any message FreeSWITCH could send, as bytes."""
    if draw(st.booleans()):
        pairs = [("Event-Name", "CHANNEL_DATA"), *draw(st.lists(st.tuples(names, texts)))]
        return encode_headers([*pairs, ("Content-Type", "command/reply")]) + b"\n\n"
    lines = [f"{name}: {value}" for name, value in draw(st.lists(st.tuples(names, raw_values)))]
    kind = draw(st.sampled_from(["command/reply", "api/response", "text/event-plain", "log/data"]))
    lines.insert(draw(st.integers(0, len(lines))), f"Content-Type: {kind}")
    body = draw(st.binary(max_size=60)) if kind != "command/reply" else b""
    if body or draw(st.booleans()):
        lines.insert(draw(st.integers(0, len(lines))), f"Content-Length: {len(body)}")
    return "\n".join(lines).encode() + b"\n\n" + body


def run(pieces: list[bytes], *, eof: bool = True) -> tuple[list[Message], bool]:
    """Feed pieces; return the messages and whether the framer failed."""
    framer = Framer()
    messages: list[Message] = []
    failed = False
    try:
        for piece in pieces:
            framer.receive_data(piece)
        if eof:
            framer.receive_eof()
    except RemoteProtocolError:
        failed = True
    while (message := framer.next_message()) is not None:
        messages.append(message)
    return messages, failed


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in itertools.pairwise(edges)]


cuts = st.lists(st.integers(0, 10_000), max_size=8)


@settings(deadline=None, max_examples=60)
@given(st.lists(wire_messages(), max_size=5), cuts)
def test_any_cut_equals_the_whole_and_round_trips(parts, places):
    data = b"".join(parts)
    whole, failed = run([data])
    assert not failed
    assert [serialise(message) for message in whole] == parts
    assert run(cut(data, places)) == (whole, False)


noise = st.lists(
    st.sampled_from(
        b"\n|\n\n|:|: |Content-Type|Content-Length|command/reply|text/event-plain|"
        b"Event-Name|5|-1|%0A|\0|\r|\xff".split(b"|")
    ),
    max_size=30,
).map(b"".join)


@settings(deadline=None)
@given(st.one_of(noise, st.binary(max_size=200)), cuts)
def test_garbage_gives_messages_or_the_one_error_whatever_the_cuts(data, places):
    assert run(cut(data, places)) == run([data])


@settings(deadline=None, max_examples=60)
@given(wire_messages(), wire_messages())
def test_a_stream_that_ends_inside_a_message_is_an_error(first, second):
    for end in range(len(first) + 1, len(first) + len(second)):
        messages, failed = run([(first + second)[:end]])
        assert failed
        assert [serialise(message) for message in messages] == [first]


@settings(deadline=None)
@given(st.lists(st.tuples(names, texts), max_size=8))
def test_encoded_values_come_back_and_stay_in_their_header(pairs):
    headers = Headers(encode_headers(pairs), percent_encoded=True)
    empty = {"_undef_": ""}
    assert list(headers.items()) == [(name, empty.get(value, value)) for name, value in pairs]
    for name, value in reversed(pairs):
        first = next(v for n, v in pairs if n.lower() == name.lower())
        assert headers.get(name.swapcase()) == empty.get(first, first)
        assert name in headers
        assert value is not None


def reply(*lines: str, body: bytes = b"") -> bytes:
    return "\n".join(("Content-Type: api/response", *lines)).encode() + b"\n\n" + body


@pytest.mark.parametrize(
    "data",
    [
        reply("Content-Length: 3", "Content-Length: 3", body=b"abc"),
        reply("Content-Length: 3", "content-length: 4", body=b"abcd"),
        reply("Content-Length: -5"),
        reply("Content-Length: +5"),
        reply("Content-Length: abc"),
        reply("Content-Length: 1_0"),
        reply("Content-Length: 0x5"),
        reply("Content-Length:"),
        reply("Content-Length: 5 5"),
        reply("Content-Length: " + "9" * 5000),
        reply(f"Content-Length: {framing.MAX_BODY_BYTES + 1}"),
        reply("no header here"),
        reply(": nameless"),
        b"\n\n",
        b"Content-Length: 3\n\nabc",
        b"Content-Type: \n\n",
        reply("X: " + "a" * framing.MAX_LINE_BYTES),
        reply(*["a: b"] * framing.MAX_BLOCK_LINES),
    ],
    ids=lambda data: data[27:67].decode(),
)
def test_broken_framing_fails_and_stays_failed(data):
    framer = Framer()
    framer.receive_data(reply("Content-Length: 2", body=b"ok"))
    with pytest.raises(RemoteProtocolError):
        framer.receive_data(data)
    with pytest.raises(RemoteProtocolError):
        framer.receive_data(reply("Content-Length: 2", body=b"ok"))
    with pytest.raises(RemoteProtocolError):
        framer.receive_eof()
    assert framer.buffered_bytes == 0
    message = framer.next_message()
    assert message is not None and message.body == b"ok"
    assert framer.next_message() is None


def test_a_block_without_end_is_refused_before_it_ends():
    framer = Framer()
    piece = b"X: " + b"a" * 1000 + b"\n"
    with pytest.raises(RemoteProtocolError, match="header block"):
        for _ in range(framing.MAX_BLOCK_BYTES):
            framer.receive_data(piece)
            assert framer.buffered_bytes <= framing.MAX_BLOCK_BYTES + len(piece)


def test_largest_body_is_accepted():
    body = bytes(framing.MAX_BODY_BYTES)
    messages, failed = run([reply(f"Content-Length: {len(body)}", body=body)])
    assert not failed
    assert messages[0].body == body


def test_messages_nobody_takes_are_our_own_fault(monkeypatch):
    monkeypatch.setattr(framing, "MAX_QUEUED_MESSAGES", 2)
    framer = Framer()
    framer.receive_data(reply() * 2)
    with pytest.raises(LocalProtocolError):
        framer.receive_data(reply())
    assert framer.next_message() is not None
    framer.receive_data(reply())


def test_data_after_the_end_is_an_error():
    framer = Framer()
    framer.receive_eof()
    with pytest.raises(RemoteProtocolError):
        framer.receive_data(b"x")


def test_caller_name_cannot_forge_a_header():
    """The value holds an encoded line break, as FreeSWITCH sends a hostile display name."""
    data = (
        b"Event-Name: CHANNEL_DATA\nUnique-ID: u1\n"
        b"Caller-Caller-ID-Name: Bob%0AUnique-ID%3A%20evil%0A%0AContent-Length: 99\n"
        b"Content-Type: command/reply\n\n"
    ).replace(b"%0A%0AContent-Length: 99", b"%0A%0AContent-Length%3A%2099")
    messages, failed = run([data])
    assert not failed
    headers = messages[0].headers
    assert headers["unique-id"] == "u1"
    assert headers["Caller-Caller-ID-Name"] == "Bob\nUnique-ID: evil\n\nContent-Length: 99"
    assert len(headers) == 4


def test_first_of_equal_names_counts_in_any_case():
    headers = Headers(b"A: 1\na: 2\nB:3\nempty: \nE: _undef_\nno header", percent_encoded=True)
    assert headers["a"] == "1"
    assert headers.get("b") == "3"
    assert headers.get("EMPTY", "x") == ""
    assert headers.get("e", "x") == ""
    assert headers.get("missing", "x") == "x"
    assert "no header" not in headers
    assert list(headers) == ["A", "a", "B", "empty", "E"]
    with pytest.raises(KeyError):
        headers["missing"]


@pytest.mark.parametrize("size", [0, 10, FOLD_BYTES, FOLD_BYTES + 1])
def test_folded_headers_tell_the_same(size):
    block = b"Event-Name: CHANNEL_DATA\nvariable_x: " + b"%20" * size
    headers, folded = (Headers(block, percent_encoded=True) for _ in range(2))
    for _ in range(2):
        folded.fold()
        folded.fold()
        assert list(folded.items()) == list(headers.items())
        assert folded.get("variable_X") == " " * size
        assert len(folded) == 2


def test_plain_replies_are_not_decoded_and_bad_utf8_is_shown():
    messages, _ = run([b"Content-Type: command/reply\nReply-Text: 100%25 \xff_undef_\n\n"])
    assert messages[0].headers["Reply-Text"] == "100%25 \ufffd_undef_"


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "a\rb"])
def test_what_is_no_name_is_not_encoded(name):
    with pytest.raises(RemoteProtocolError):
        encode_headers([(name, "value")])


def test_message_shows_its_size_not_its_text():
    messages, _ = run([reply("Content-Length: 6", body=b"secret")])
    assert repr(messages[0]) == "<Message api/response 44+6 bytes>"
    assert messages[0] != "secret"
    assert len({messages[0], messages[0]}) == 1
