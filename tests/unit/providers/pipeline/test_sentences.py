"""A sentence is spoken as soon as it is whole, and cut in the same places however it came."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.pipeline.sentences import MAX_CHARS, SentenceSplitter, spoken


def split(*pieces: str) -> list[str]:
    splitter = SentenceSplitter()
    return [one for piece in pieces for one in splitter.feed(piece)] + splitter.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Silva is here. He waits.", ["Dr. Silva is here.", "He waits."]),
        ("A Sra. Dias vem. O Sr. Reis não.", ["A Sra. Dias vem.", "O Sr. Reis não."]),
        ("Custa R$ 1.500,00 por mês. Serve?", ["Custa R$ 1.500,00 por mês.", "Serve?"]),
        ("It is 3.5 metres. No. We close.", ["It is 3.5 metres.", "No.", "We close."]),
        ("J. R. Smith called. Really…", ["J. R. Smith called.", "Really…"]),
        ("1. Open it. 2. Close it.", ["1. Open it.", "2. Close it."]),
        ("We open at 9. And close at 6.", ["We open at 9.", "And close at 6."]),
        ("He said “No.” Then he left.", ["He said “No.”", "Then he left."]),
        ("Wait... I see", ["Wait...", "I see"]),
        ("A line\nanother", ["A line", "another"]),
        ("Av. Paulista, nº. 5. Ok?", ["Av. Paulista, nº. 5.", "Ok?"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert split(text) == expected


def test_a_sentence_is_given_when_the_next_begins() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("One") == []
    assert splitter.feed(".") == []
    assert splitter.feed(" ") == ["One."]


LETTERS = st.sampled_from("aB1 .!?…\n\N{RIGHT SINGLE QUOTATION MARK},:é") | st.characters()
TEXTS = st.text(LETTERS, max_size=900)


@given(TEXTS, st.lists(st.integers(0, 900), max_size=12))
def test_the_pieces_make_no_difference_and_nothing_is_lost(text: str, cuts: list[int]) -> None:
    at = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(at)]
    sentences = split(*pieces)
    assert sentences == split(text) == split(*text)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(0 < len(sentence) <= MAX_CHARS + 1 for sentence in sentences)


def test_what_is_written_for_the_eye_is_not_read_out() -> None:
    assert spoken("## **Hours**:  `9` to _6_") == "Hours : 9 to 6"
