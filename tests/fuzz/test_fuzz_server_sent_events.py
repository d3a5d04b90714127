from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.speech.frames import Kind, encode_frame

from . import fuzz_server_sent_events

CORPUS = {
    "chunks": b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n' * 3 + b"data: [DONE]\n\n",
    "ends": b"\xef\xbb\xbfdata: a\r\rdata: b\r\n\r\ndata: c\n\n",
    "named": b'event: error\ndata: {"error":{"code":"x"}}\n\n: keep-alive\n\n',
    "long": b"data: " + b"x" * 600 + b"\n\n",
    "frames": encode_frame(Kind.READY, b"") + encode_frame(Kind.BINARY, bytes(300)),
}
SPLICES = [
    b"\r",
    b"\n",
    b"\r\n",
    b":",
    b"data:",
    b"\x00",
    b"\xff\xff\xff\xff",
    b"\xef\xbb\xbf",
    b"",
]


@pytest.mark.parametrize("name", CORPUS)
def test_corpus_as_it_is_and_damaged(name: str) -> None:
    chance = random.Random(name)
    for _ in range(100):
        wire = bytearray(CORPUS[name])
        for _ in range(chance.randrange(0, 4)):
            at = chance.randrange(len(wire) + 1)
            wire[at : at + chance.choice([0, 1, 4])] = chance.choice(SPLICES)
        fuzz_server_sent_events.test_one_input(bytes([chance.randrange(256)]) + wire)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    fuzz_server_sent_events.test_one_input(data)
