"""What was said, and as far as it was heard."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.base import Speaker
from bridge.session.transcript import HISTORY_CHARS, MAX_UTTERANCES, Transcript


def test_times_count_from_the_beginning():
    transcript = Transcript(100.0)
    assert transcript.add(Speaker.CALLER, "i1", " a question ", 101.5).at_s == 1.5
    assert transcript.utterances[0].text == "a question"


def test_nothing_said_is_nothing():
    transcript = Transcript(0.0)
    assert transcript.add(Speaker.AGENT, "i1", " \n", 1.0) is None
    assert transcript.utterances == []


def test_an_interruption_is_known_whichever_comes_first():
    transcript = Transcript(0.0)
    assert transcript.mark_interrupted("i1", 400) is None
    late = transcript.add(Speaker.AGENT, "i1", "hello there", 1.0)
    early = transcript.add(Speaker.AGENT, "i2", "good morning", 2.0)
    assert (late.interrupted, late.heard_ms) == (True, 400)
    assert not early.interrupted
    cut = transcript.mark_interrupted("i2", 0)
    assert (cut.text, cut.interrupted, cut.heard_ms) == ("good morning", True, 0)
    assert transcript.utterances == [late, cut]


def test_there_is_a_limit():
    transcript = Transcript(0.0)
    for number in range(MAX_UTTERANCES + 5):
        transcript.add(Speaker.CALLER, str(number), "word", float(number))
    assert (len(transcript.utterances), transcript.dropped) == (MAX_UTTERANCES, 5)


@given(st.lists(st.integers(1, HISTORY_CHARS), max_size=20))
def test_history_is_the_latest_that_fits(lengths):
    transcript = Transcript(0.0)
    for length in lengths:
        transcript.add(Speaker.CALLER, "", "x" * length, 0.0)
    kept = [len(text) for _, text in transcript.history()]
    assert kept == lengths[len(lengths) - len(kept) :]
    assert sum(kept) <= HISTORY_CHARS
    if len(kept) < len(lengths):
        assert sum(kept) + lengths[-len(kept) - 1] > HISTORY_CHARS
