import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame
from websockets.streams import StreamReader

from bridge.errors import LocalProtocolError, RemoteProtocolError
from bridge.wire import frames
from bridge.wire.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, FrameLimits, Role
from tests.unit.wire.ws_bytes import KEY, cuts, frame, masked, parse, places

SMALL = FrameLimits(max_message_bytes=1000, max_fragments=5)

ANY_CUT = [[], list(range(10_000)), [1, 2, 3], [2], [3, 6], [6, 7, 8]]


@pytest.mark.parametrize("cut", ANY_CUT)
@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        # RFC 6455 section 5.7
        (b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", [(TEXT, b"Hello")]),
        (b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", [(PONG, b"Hello")]),
        (frame(BINARY, b"\x01" * 640), [(BINARY, b"\x01" * 640)]),
        (frame(BINARY, b"\x01" * 125), [(BINARY, b"\x01" * 125)]),
        (frame(BINARY, b"\x01" * 126), [(BINARY, b"\x01" * 126)]),
        (frame(BINARY, b""), [(BINARY, b"")]),
        (frame(BINARY, b"a") * 3, [(BINARY, b"a")] * 3),
        (
            frame(TEXT, b"a", fin=False) + frame(PING, b"p") + frame(CONTINUATION, b"b"),
            [(PING, b"p"), (TEXT, b"ab")],
        ),
        (
            # a character cut in the middle by the fragments
            frame(TEXT, b"\xc3", fin=False)
            + frame(CONTINUATION, b"\xa9", fin=False)
            + frame(CONTINUATION, b""),
            [(TEXT, "é".encode())],
        ),
        (frame(CLOSE, b""), [(CLOSE, b"")]),
        (frame(CLOSE, b"\x03\xe8bye") + b"\xff\xff after", [(CLOSE, b"\x03\xe8bye")]),
        (frame(TEXT, b"a", fin=False) + frame(CLOSE, b""), [(CLOSE, b"")]),
    ],
)
def test_messages_however_cut(wire, expected, cut):
    messages, violation, parser = parse(cuts(wire, cut))
    assert (messages, violation) == (expected, None)
    assert parser.buffered_bytes == 0


@pytest.mark.parametrize("cut", ANY_CUT)
@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (frame(BINARY, b"abc", mask=False), 1002),
        (frame(BINARY, b"abc", rsv=4), 1002),
        (frame(BINARY, b"abc", rsv=2), 1002),
        (frame(BINARY, b"abc", rsv=1), 1002),
        *((frame(opcode), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        (frame(CONTINUATION, b"abc"), 1002),
        (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
        (frame(TEXT, b"a", fin=False) + frame(BINARY, b"b", fin=False), 1002),
        (frame(TEXT, b"a", fin=False) + frame(CONTINUATION) + frame(CONTINUATION), 1002),
        (frame(PING, b"a", fin=False), 1002),
        (frame(CLOSE, b"", fin=False), 1002),
        (frame(PING, b"a" * 126), 1002),
        (frame(PONG, b"a" * 126), 1002),
        (frame(CLOSE, b"\x03\xe8" + b"a" * 124), 1002),
        (frame(CLOSE, b"\x03"), 1002),
        *(
            (frame(CLOSE, struct.pack("!H", code)), 1002)
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
        ),
        (frame(CLOSE, b"\x03\xe8\xff"), 1007),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"\xed\xa0\x80"), 1007),
        (frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b""), 1007),
        (frame(BINARY, b"a" * 1001), 1009),
        (frame(BINARY, b"a" * 600, fin=False) + frame(CONTINUATION, b"a" * 401), 1009),
        (frame(BINARY, b"", fin=False) + frame(CONTINUATION, fin=False) * 5, 1008),
    ],
)
def test_violations_however_cut(wire, code, cut):
    good = frame(BINARY, b"before")
    messages, violation, parser = parse(cuts(good + wire, cut), limits=SMALL)
    assert violation == code
    assert messages[0] == (BINARY, b"before")
    assert parser.buffered_bytes == 0


@pytest.mark.parametrize("claim", [1001, 1 << 31, 1 << 63, (1 << 64) - 1])
def test_a_claimed_length_is_refused_before_anything_is_held(claim):
    messages, violation, parser = parse(
        iter([b"\x82\xff" + struct.pack("!Q", claim)]), limits=SMALL
    )
    assert (messages, violation, parser.buffered_bytes) == ([], 1009, 0)


def test_a_claim_is_refused_with_its_last_byte():
    parser = frames.FrameParser(Role.SERVER, SMALL)
    claim = b"\x82\xff" + struct.pack("!Q", 1001)
    for byte in claim[:-1]:
        assert parser.receive_data(bytes([byte])) == []
    with pytest.raises(RemoteProtocolError):
        parser.receive_data(claim[-1:])


@pytest.mark.parametrize("cut", ANY_CUT)
def test_lengths_written_longer_than_needed_are_understood(cut):
    wire = b"\x82\x7e\x00\x00" + b"\x82\x7f" + bytes(8) + b"\x82\x7e\x00\x01a"
    messages, violation, _ = parse(cuts(wire, cut), Role.CLIENT)
    assert (messages, violation) == ([(BINARY, b""), (BINARY, b""), (BINARY, b"a")], None)


def test_an_empty_message_is_complete_with_its_head():
    parser = frames.FrameParser(Role.CLIENT, SMALL)
    wire = b"\x82\x7e\x00\x00"
    assert [parser.receive_data(bytes([byte])) for byte in wire] == [[], [], [], [(BINARY, b"")]]


def test_a_failed_parser_stays_failed():
    _, _, parser = parse(iter([frame(3)]))
    for data in (b"", frame(BINARY, b"good")):
        with pytest.raises(RemoteProtocolError) as raised:
            parser.receive_data(data)
        assert raised.value is parser.failure


def test_a_violation_does_not_take_good_messages_with_it():
    parser = frames.FrameParser(Role.SERVER, SMALL)
    assert parser.receive_data(frame(BINARY, b"good") + frame(3)) == [(BINARY, b"good")]
    assert parser.failure is not None


def test_text_is_not_checked_where_a_decoder_checks_it():
    messages, violation, _ = parse(
        iter([frame(TEXT, b"\xff", mask=False)]), Role.CLIENT, FrameLimits(validate_text=False)
    )
    assert (messages, violation) == ([(TEXT, b"\xff")], None)


def test_a_client_refuses_masked_frames():
    messages, violation, _ = parse(iter([frame(TEXT, b"a")]), Role.CLIENT)
    assert (messages, violation) == ([], 1002)


def test_a_large_message_byte_by_byte_is_put_together_once():
    payload = bytes(range(256)) * 300
    wire = frame(BINARY, payload)
    messages, _, _ = parse(wire[i : i + 1] for i in range(len(wire)))
    assert messages == [(BINARY, payload)]


# --- properties ---

data_frames = st.builds(
    lambda opcode, parts: b"".join(
        frame(opcode if i == 0 else CONTINUATION, part, fin=i == len(parts) - 1)
        for i, part in enumerate(parts)
    ),
    st.just(BINARY),
    st.lists(st.binary(max_size=300), min_size=1, max_size=4),
)
control_frames = st.builds(frame, st.sampled_from([PING, PONG]), st.binary(max_size=125))
bad_frames = st.builds(
    frame,
    st.integers(0, 15),
    st.binary(max_size=300),
    fin=st.booleans(),
    mask=st.booleans(),
    rsv=st.integers(0, 7),
)


close_frames = st.builds(frame, st.just(CLOSE), st.sampled_from([b"", b"\x03\xe8", b"\x03\xed"]))
any_frames = st.one_of(data_frames, control_frames, close_frames, bad_frames)


@given(st.lists(any_frames, max_size=8), places)
def test_any_cut_equals_the_whole(wire_frames, cut):
    wire = b"".join(wire_frames)
    whole, whole_violation, whole_parser = parse(iter([wire]), limits=SMALL)
    pieces, violation, parser = parse(cuts(wire, cut), limits=SMALL)
    assert (pieces, violation) == (whole, whole_violation)
    assert parser.buffered_bytes == whole_parser.buffered_bytes
    assert parser.closed == whole_parser.closed


@given(st.lists(st.binary(max_size=2000), max_size=6), st.sampled_from(Role))
@example([b"\x82\xfe\xff"], Role.SERVER)
def test_garbage_gives_messages_or_one_violation_and_holds_little(pieces, role):
    messages, violation, parser = parse(iter(pieces), role, SMALL)
    assert violation in (None, 1002, 1007, 1008, 1009)
    assert parser.buffered_bytes <= 2 * SMALL.max_message_bytes + 14
    assert all(len(payload) <= SMALL.max_message_bytes for _, payload in messages)


sizes = st.one_of(st.integers(0, 300), st.sampled_from([65535, 65536, 70000]))
opcodes = st.sampled_from([TEXT, BINARY, PING, PONG])


@given(opcodes, sizes, st.binary(min_size=4, max_size=4), places)
def test_round_trip(opcode, size, key, cut):
    payload = b"\x55" * (min(size, 125) if opcode > BINARY else size)
    for role, wire in (
        (Role.SERVER, frames.client_frame(opcode, payload, key)),
        (Role.CLIENT, frames.server_frame(opcode, payload)),
    ):
        messages, violation, _ = parse(cuts(wire, cut), role)
        assert (messages, violation) == ([(opcode, payload)], None)


@given(opcodes, sizes, st.booleans())
def test_the_websockets_library_reads_what_we_build(opcode, size, mask):
    payload = b"\x55" * (min(size, 125) if opcode > BINARY else size)
    build = (
        frames.client_frame(opcode, payload, KEY) if mask else frames.server_frame(opcode, payload)
    )
    reader = StreamReader()
    reader.feed_data(build)
    parsing = Frame.parse(reader.read_exact, mask=mask)
    with pytest.raises(StopIteration) as stop:
        next(parsing)
    read = stop.value.value
    assert (read.opcode, bytes(read.data), read.fin) == (opcode, payload, True)


@given(st.binary(max_size=4000), st.binary(min_size=4, max_size=4))
def test_both_ways_of_masking_do_what_the_rfc_says(payload, key):
    from bridge.wire.masking import apply_mask, xor_mask

    assert apply_mask(payload, key) == xor_mask(payload, key) == masked(payload, key)


# --- Close ---


@given(
    st.one_of(
        st.sampled_from([1000, 1001, 1002, 1003, *range(1007, 1015)]), st.integers(3000, 4999)
    ),
    st.text(max_size=200),
)
def test_close_payload_round_trip(code, reason):
    payload = frames.encode_close(code, reason)
    assert len(payload) <= frames.MAX_CONTROL_BYTES
    read_code, read_reason = frames.decode_close(payload)
    assert read_code == code
    assert reason.encode("utf-8", "replace").decode().startswith(read_reason)
    if len(reason) <= 30:
        assert read_reason == reason.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, -1, 70000])
def test_codes_that_may_not_be_sent_are_our_mistake(code):
    with pytest.raises(LocalProtocolError):
        frames.encode_close(code)


def test_a_close_without_code():
    assert frames.decode_close(b"") == (frames.NO_STATUS, "")
