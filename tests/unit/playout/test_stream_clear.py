"""An answer broken off: what was heard of it, and what comes next."""

import pytest

from bridge.errors import LocalProtocolError
from bridge.playout.heard import HeardPosition

from .far_side import advance
from .stream_kit import make, ms


def test_clear_where_the_far_side_can_be_silenced() -> None:
    far, pacer, stream = make(lead_ms=100)
    stream.begin(1)
    stream.write("a", ms(300), 100.0)
    advance(pacer, far, 100.2)
    assert stream.clear(100.21) == HeardPosition("a", 210)
    assert far.cleared == [(100.21, 1)]
    assert stream.depth_ms == 0
    before = len(far.played)
    advance(pacer, far, 101.0)
    assert len(far.played) == before
    assert len(pacer) == 0


def test_clear_where_the_lead_stays_audible() -> None:
    far, pacer, stream = make(recalls=False)
    stream.write("a", ms(300), 100.0)
    advance(pacer, far, 100.1)
    sent_ms = len(far.sound) // 16
    assert sent_ms > 100
    assert stream.clear(100.1) == HeardPosition("a", sent_ms)


def test_clear_finds_the_item_being_heard() -> None:
    far, pacer, stream = make(lead_ms=200)
    stream.write("a", ms(100), 100.0)
    stream.write("b", ms(100), 100.0)
    stream.write("c", ms(100), 100.0)
    advance(pacer, far, 100.13)
    assert stream.clear(100.13) == HeardPosition("b", 30)


def test_clear_before_anything_was_heard() -> None:
    _, _, stream = make(latency_ms=150)
    stream.write("a", ms(100), 100.0)
    assert stream.clear(100.1) == HeardPosition("a", 0)


def test_clear_with_nothing_playing() -> None:
    far, pacer, stream = make()
    assert stream.clear(100.0) is None
    stream.write("a", ms(40), 100.0)
    stream.finish(100.0)
    advance(pacer, far, 101.0)
    assert stream.clear(101.0) is None
    assert far.cleared == []


def test_clear_never_says_drained() -> None:
    far, pacer, stream = make()
    drained = []
    stream.on_drained = drained.append
    stream.write("a", ms(400), 100.0)
    stream.finish(100.0)
    stream.clear(100.05)
    advance(pacer, far, 101.0)
    assert drained == []


def test_padding_never_counts_as_heard_speech() -> None:
    far, pacer, stream = make(tail_padding_ms=400, recalls=False)
    stream.write("a", ms(90), 100.0)
    stream.finish(100.0)
    advance(pacer, far, 100.085)
    assert stream.clear(100.085) == HeardPosition("a", 90)


def test_the_next_answer_starts_counting_anew() -> None:
    far, pacer, stream = make()
    stream.write("a", ms(300), 100.0)
    advance(pacer, far, 100.1)
    stream.clear(100.1)
    stream.begin(1)
    stream.write("b", ms(300), 100.1)
    advance(pacer, far, 100.15)
    assert stream.heard_ms(100.15) == 50
    assert stream.clear(100.15) == HeardPosition("b", 50)
    assert {generation for at, _, generation in far.played if at > 100.1} == {1}


def test_what_stays_audible_delays_the_next_answer() -> None:
    far, _, stream = make(recalls=False)
    first = []
    stream.on_first_frame = lambda now, playout_ms: first.append(playout_ms)
    stream.write("a", ms(300), 100.0)
    stream.clear(100.0)
    stream.write("b", ms(300), 100.0)
    assert far.heard_bytes(100.06) == 60 * 16
    assert first == [0]  # the lead is full: nothing of b has left yet


def test_a_broken_off_word_ends_in_silence() -> None:
    far, pacer, stream = make(silence_every_s=1.0, recalls=False)
    stream.write("a", ms(300), 100.0)
    advance(pacer, far, 100.1)
    played = far.sound
    assert stream.clear(100.1) == HeardPosition("a", len(played) // 16)
    assert far.sound == played + bytes(320)


def test_generations_never_come_back() -> None:
    _, _, stream = make()
    stream.begin(3)
    with pytest.raises(LocalProtocolError):
        stream.begin(2)


def test_nothing_remains_after_an_interruption() -> None:
    _, _, stream = make(recalls=False)
    stream.write("a", ms(400), 100.0)
    stream.clear(100.0)
    assert stream.heard_ms(100.1) == 0
    assert stream.idle(100.0)
