"""The emulated services' short way under load finds what the parser of `websockets` finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol, State

from esl_controller.simulator.service.whole_texts import WholeTexts

KINDS = st.sampled_from([Opcode.TEXT] * 6 + [Opcode.BINARY, Opcode.PING])
FRAMES = st.lists(st.tuples(KINDS, st.binary(max_size=125) | st.binary(min_size=126, max_size=400)))


def frame(opcode: Opcode, payload: bytes) -> bytes:
    payload = payload[:125] if opcode is Opcode.PING else payload
    return Frame(opcode, payload).serialize(mask=True)


def parsed(reads: list[bytes]) -> list[bytes]:
    protocol = Protocol(SERVER, state=State.OPEN)
    for read in reads:
        protocol.receive_data(read)
    return [bytes(f.data) for f in protocol.events_received() if f.opcode is Opcode.TEXT]


@given(st.lists(FRAMES, max_size=5), st.integers(0, 60))
def test_each_text_is_found_once_by_it_or_by_the_parser(batches, cut):
    stream = [b"".join(frame(*one) for one in batch) for batch in batches]
    if stream and cut:
        stream[0:1] = [stream[0][:cut], stream[0][cut:]]
    stream = [read for read in stream if read]
    taker, protocol, found = WholeTexts(), Protocol(SERVER, state=State.OPEN), []
    for read in stream:
        texts = taker.take(read)
        if texts is None:
            protocol.receive_data(read)
            events = protocol.events_received()
            texts = [bytes(event.data) for event in events if event.opcode is Opcode.TEXT]
        found += texts
    assert found == parsed(stream)


def test_a_load_of_messages_goes_the_short_way():
    read = frame(Opcode.TEXT, b"x" * 300) + frame(Opcode.TEXT, b"{}")
    assert WholeTexts().take(read) == [b"x" * 300, b"{}"]


def test_a_client_cut_within_a_frame_is_the_parsers_from_then_on():
    taker, whole = WholeTexts(), frame(Opcode.TEXT, b"{}")
    assert taker.take(whole[:3]) is None
    assert taker.take(whole[3:]) is None
    assert taker.take(whole) is None


def test_a_huge_length_is_no_promise_of_a_frame():
    assert WholeTexts().take(b"\x81\xff" + b"\xff" * 8 + b"abcd" + b"data") is None
    assert WholeTexts().take(b"\x81\x7e\x00") is None
