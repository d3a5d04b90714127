"""The end of an answer: what is still to be heard, and `on_drained`."""

import pytest

from .far_side import advance
from .stream_kit import make, ms


def test_tail_padding_is_sent_and_is_no_part_of_the_answer() -> None:
    far, pacer, stream = make(tail_padding_ms=80, latency_ms=150, lead_ms=40)
    drained = []
    stream.on_drained = drained.append
    stream.write("a", ms(100), 100.0)
    stream.finish(100.0)
    advance(pacer, far, 101.0)
    assert far.sound == ms(100) + bytes(1280)
    assert drained == [pytest.approx(100.25, abs=0.021)]
    assert drained[0] >= 100.25


def test_drained_once_and_only_when_heard() -> None:
    far, pacer, stream = make()
    drained = []
    stream.on_drained = drained.append
    stream.write("a", ms(200), 100.0)
    advance(pacer, far, 100.15)
    stream.finish(100.15)
    assert not stream.idle(100.15)
    advance(pacer, far, 101.0)
    assert len(drained) == 1
    assert 100.2 <= drained[0] <= 100.221
    assert stream.idle(100.3)
    assert (len(pacer), pacer.next_deadline()) == (0, None)


def test_finish_with_nothing_to_hear_is_drained_at_once() -> None:
    _, _, stream = make()
    drained = []
    stream.on_drained = drained.append
    stream.finish(100.0)
    assert drained == [100.0]


def test_finish_after_everything_was_heard_is_drained_at_once() -> None:
    far, pacer, stream = make()
    drained = []
    stream.on_drained = drained.append
    stream.write("a", ms(40), 100.0)
    advance(pacer, far, 100.5)
    assert stream.idle(100.5)
    assert drained == []
    stream.finish(100.5)
    assert drained == [100.5]


def test_a_second_finish_says_nothing_more() -> None:
    far, pacer, stream = make()
    drained = []
    stream.on_drained = drained.append
    stream.write("a", ms(40), 100.0)
    stream.finish(100.0)
    stream.finish(100.0)
    advance(pacer, far, 101.0)
    assert len(drained) == 1


def test_more_audio_after_finish_goes_on_with_the_same_answer() -> None:
    far, pacer, stream = make()
    drained = []
    stream.on_drained = drained.append
    stream.write("a", ms(100), 100.0)
    stream.finish(100.0)
    advance(pacer, far, 100.05)
    stream.write("b", ms(100), 100.05)
    advance(pacer, far, 100.5)
    assert drained == []
    stream.finish(100.5)
    assert drained == [100.5]
    assert far.sound == ms(100) * 2


def test_on_drained_may_begin_the_next_answer() -> None:
    far, pacer, stream = make()

    def again(now: float) -> None:
        stream.on_drained = None
        stream.write("b", ms(200, 5000), now)
        stream.finish(now)

    stream.on_drained = again
    stream.write("a", ms(100), 100.0)
    stream.finish(100.0)
    advance(pacer, far, 101.0)
    assert far.sound == ms(100) + ms(200, 5000)
    assert len(pacer) == 0


def test_padding_still_to_be_sent_holds_the_end_back() -> None:
    far, pacer, stream = make(tail_padding_ms=80, lead_ms=0)
    drained = []
    stream.on_drained = drained.append
    stream.write("a", ms(40), 100.0)
    stream.finish(100.0)
    advance(pacer, far, 100.06)
    assert drained == []
    advance(pacer, far, 101.0)
    assert far.sound == ms(40) + bytes(1280)
    assert len(drained) == 1


def test_a_second_finish_adds_no_second_padding() -> None:
    far, pacer, stream = make(tail_padding_ms=80)
    stream.write("a", ms(200), 100.0)
    stream.finish(100.0)
    stream.finish(100.0)
    advance(pacer, far, 101.0)
    assert far.sound == ms(200) + bytes(1280)
