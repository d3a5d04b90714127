from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.esl.conversations import received

from . import fuzz_esl_framing

CORPUS = {name: data for name, data in received().items() if len(data) < 70_000}
SPLICES = [b"\n", b"\n\n", b"Content-Length: 5\n", b"%0A", b"\0", b":", b"Content-Type: x/y\n", b""]


@pytest.mark.parametrize("name", CORPUS)
def test_corpus_as_it_is_and_damaged(name):
    chance = random.Random(name)
    data = CORPUS[name]
    fuzz_esl_framing.test_one_input(b"\xff" + data)
    for _ in range(10):
        start = chance.randrange(len(data))
        window = bytearray(data[start : start + 12_000])
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(window))
            window[at : at + chance.choice([0, 1, 50])] = chance.choice(SPLICES)
        fuzz_esl_framing.test_one_input(bytes([chance.randrange(256)]) + window)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(data):
    fuzz_esl_framing.test_one_input(data)
