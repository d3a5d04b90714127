"""What was said, where it was said, and as far as it was heard."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.conversation import Ran, Said, Speaker
from bridge.session.transcript import HISTORY_CHARS, MAX_ENTRIES, Transcript

CALLER, AGENT = Speaker.CALLER, Speaker.AGENT


def texts(transcript):
    return [u.text for u in transcript.utterances]


def spoken(transcript, item_id, text, now=0.0):
    """The agent says something that is heard."""
    transcript.open(AGENT, item_id, now)
    return transcript.add(AGENT, item_id, text, now)


def test_times_count_from_the_beginning():
    transcript = Transcript(100.0)
    assert transcript.add(CALLER, "i1", " a question ", 101.5).at_s == 1.5
    assert transcript.utterances[0].text == "a question"


def test_an_agent_that_says_nothing_says_nothing():
    transcript = Transcript(0.0)
    assert spoken(transcript, "i1", " \n") is None
    assert transcript.utterances == []


def test_late_words_have_the_place_and_time_of_their_beginning():
    transcript = Transcript(0.0)
    transcript.open(CALLER, "u1", 1.0)
    spoken(transcript, "a1", "At nine.", 2.0)
    late = transcript.add(CALLER, "u1", "When?", 5.0)
    assert late.at_s == 1.0
    assert texts(transcript) == ["When?", "At nine."]


def test_without_a_beginning_the_item_before_it_tells_the_place():
    transcript = Transcript(0.0)
    transcript.add(CALLER, "u1", "one", 1.0)
    spoken(transcript, "a1", "three", 3.0)
    placed = transcript.add(CALLER, "u2", "two", 5.0, after="u1")
    assert texts(transcript) == ["one", "two", "three"]
    assert 1.0 <= placed.at_s <= 3.0
    transcript.add(CALLER, "u3", "four", 6.0, after="unknown")
    assert texts(transcript)[-1] == "four"


def test_order_in_time_is_order_in_the_conversation():
    transcript = Transcript(0.0)
    transcript.add(CALLER, "u1", "a", 1.0)
    transcript.add(CALLER, "u2", "b", 1.0)
    for number in range(5):
        transcript.add(CALLER, f"v{number}", "c", 9.0, after="u2")
    transcript.add(CALLER, "u3", "d", 1.0)
    times = [u.at_s for u in transcript.utterances]
    assert times == sorted(times)


def test_an_interruption_is_known_whichever_comes_first():
    transcript = Transcript(0.0)
    transcript.open(AGENT, "i1", 0.0)
    assert transcript.cut("i1", 400, 1000) is None
    late = transcript.add(AGENT, "i1", "hello there", 1.0)
    assert (late.interrupted, late.heard_ms) == (True, 400)
    early = spoken(transcript, "i2", "good morning", 2.0)
    assert not early.interrupted
    cut = transcript.cut("i2", 0, 500)
    assert (cut.text, cut.interrupted, cut.heard_ms) == ("good morning", True, 0)
    assert transcript.cut("unknown", 1, 1) is None


def test_there_is_a_limit():
    transcript = Transcript(0.0)
    for number in range(MAX_ENTRIES + 5):
        transcript.add(CALLER, str(number), "word", float(number))
    assert (len(transcript.utterances), transcript.dropped) == (MAX_ENTRIES, 5)


def test_history_ends_where_the_caller_stopped_hearing():
    transcript = Transcript(0.0)
    words = "one two three four five six seven eight nine ten"
    for item_id, heard_ms in (("half", 5000), ("none", 0), ("all", 10000)):
        spoken(transcript, item_id, words)
        transcript.cut(item_id, heard_ms, 10000)
    half, whole = transcript.history()
    assert half == Said(AGENT, "one two three four five")
    assert whole.text == words


@given(
    st.text(st.characters(codec="utf-8"), max_size=60), st.integers(0, 9000), st.integers(0, 9000)
)
def test_what_is_told_is_the_beginning_of_what_was_said(text, heard_ms, total_ms):
    transcript = Transcript(0.0)
    spoken(transcript, "i", text)
    transcript.cut("i", heard_ms, total_ms)
    for said in transcript.history():
        assert text.strip().startswith(said.text)
        assert said.text


def test_what_was_done_is_history_too_and_is_told_to_nobody_else():
    transcript = Transcript(0.0)
    transcript.add(CALLER, "u1", "Book.", 1.0)
    transcript.called("c1", "book", '{"at":9}', 2.0)
    assert "running" in transcript.history()[-1].output
    assert transcript.returned("c1", "booked") == Ran("book", '{"at":9}', "booked")
    assert transcript.returned("unknown", "x") is None
    assert transcript.history() == [Said(CALLER, "Book."), Ran("book", '{"at":9}', "booked")]
    assert texts(transcript) == ["Book."]


@given(st.lists(st.integers(1, HISTORY_CHARS), max_size=20))
def test_history_is_the_latest_that_fits(lengths):
    transcript = Transcript(0.0)
    for length in lengths:
        transcript.add(CALLER, "", "x" * length, 0.0)
    kept = [len(said.text) for said in transcript.history()]
    assert kept == lengths[len(lengths) - len(kept) :]
    assert sum(kept) <= HISTORY_CHARS
    if len(kept) < len(lengths):
        assert sum(kept) + lengths[-len(kept) - 1] > HISTORY_CHARS


def test_what_a_conversation_ends_with():
    transcript = Transcript(0.0)
    assert transcript.last() is None
    spoken(transcript, "a1", "Good morning.", 1.0)
    assert transcript.last() == Said(AGENT, "Good morning.")
    transcript.open(CALLER, "u1", 2.0)
    assert transcript.last() is None, "the caller said more than is known"
    transcript.add(CALLER, "u1", "When?", 2.0)
    assert transcript.last() == Said(CALLER, "When?")
    transcript.open(AGENT, "a2", 3.0)
    assert transcript.last() == Said(CALLER, "When?"), "words that died with their provider"
    transcript.called("c1", "look", "{}", 4.0)
    assert isinstance(transcript.last(), Ran)
