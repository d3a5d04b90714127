from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.frames import BINARY, CLOSE, CONTINUATION, PING, TEXT
from tests.unit.wire.ws_bytes import frame

from . import fuzz_ws_frames

CORPUS = {
    "metadata": frame(TEXT, b'{"caller":"5551000"}') + frame(BINARY, bytes(640)) * 3,
    "dtmf": frame(TEXT, b'{"type":"dtmf","digit":"5"}'),
    "fragments": frame(TEXT, "é".encode()[:1], fin=False)
    + frame(PING, b"x")
    + frame(CONTINUATION, "é".encode()[1:]),
    "close": frame(BINARY, b"a") + frame(CLOSE, b"\x03\xe8Normal closure") + b"rest",
    "provider": frame(TEXT, b'{"type":"session.created"}', mask=False) * 2,
    "large": frame(BINARY, bytes(4096)) + frame(BINARY, bytes(4097)),
}
SPLICES = [b"\x82\xff", b"\x7f", b"\xfe", b"\x00", b"\x88\x80", b"\x80", b"\x01\x81", b""]


@pytest.mark.parametrize("name", CORPUS)
def test_corpus_as_it_is_and_damaged(name):
    chance = random.Random(name)
    for _ in range(50):
        wire = bytearray(CORPUS[name])
        for _ in range(chance.randrange(0, 4)):
            at = chance.randrange(len(wire) + 1)
            wire[at : at + chance.choice([0, 1, 4])] = chance.choice(SPLICES)
        fuzz_ws_frames.test_one_input(bytes([chance.randrange(256)]) + wire)


@given(st.binary(max_size=300))
def test_any_bytes(data):
    fuzz_ws_frames.test_one_input(data)
