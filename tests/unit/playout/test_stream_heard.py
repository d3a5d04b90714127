"""What was heard of each item, whatever lay between; giving way; what does not fit."""

from bridge.audio.formats import L16_8K
from bridge.playout.heard import HeardPosition

from .stream_kit import make, ms


def play_until(far, pacer, now: float) -> None:
    while (due := pacer.next_deadline()) is not None and due <= now:
        far.now = due
        pacer.tick(due)
    far.now = now


def test_an_item_is_the_sum_of_its_pieces() -> None:
    """A phrase of ours lies in the middle of an answer."""
    far, pacer, stream = make(lead_ms=40)
    stream.write("answer", ms(200), 100.0)
    stream.write("", ms(100), 100.0)
    stream.write("answer", ms(300), 100.0)
    play_until(far, pacer, 100.45)
    assert stream.heard(100.45) == (HeardPosition("answer", 350), HeardPosition("", 100))
    assert stream.clear(100.45) == HeardPosition("answer", 350)


def test_padding_inside_an_item_is_not_of_it() -> None:
    far, pacer, stream = make(lead_ms=40, tail_padding_ms=80)
    stream.write("answer", ms(100), 100.0)
    stream.finish(100.0)
    stream.write("answer", ms(100), 100.0)
    play_until(far, pacer, 100.23)
    assert stream.clear(100.23) == HeardPosition("answer", 150)


def test_items_that_have_not_begun_are_named_with_nothing() -> None:
    far, pacer, stream = make(lead_ms=40)
    for item_id in "ab":
        stream.write(item_id, ms(200), 100.0)
    play_until(far, pacer, 100.1)
    assert stream.heard(100.1) == (HeardPosition("a", 100), HeardPosition("b", 0))
    stream.clear(100.1)
    assert stream.heard(100.1) == ()


def test_giving_way_loses_nothing_and_is_heard_later() -> None:
    far, pacer, stream = make(lead_ms=40, recalls=False)
    stream.write("a", ms(200), 100.0)
    before = len(far.played)
    stream.give_way(0.1)
    play_until(far, pacer, 100.1)
    assert len(far.played) == before
    play_until(far, pacer, 100.4)
    assert b"".join(chunk for _, chunk, _ in far.played) == ms(200)
    drained: list[float] = []
    stream.on_drained = drained.append
    stream.finish(100.4)
    assert drained == [100.4]


def test_while_we_give_way_nothing_more_is_heard() -> None:
    far, pacer, stream = make(lead_ms=40)
    stream.write("a", ms(200), 100.0)
    stream.give_way(0.1)
    assert stream.heard(100.1) == (HeardPosition("a", 40),)
    play_until(far, pacer, 100.2)
    assert stream.heard(100.2) == (HeardPosition("a", 100),)


def test_the_end_that_did_not_fit_is_told() -> None:
    _, _, stream = make(lead_ms=20)
    dropped = [stream.write("long", ms(1000), 100.0) for _ in range(400)]
    assert sum(dropped) == L16_8K.bytes_for_ms(99_980)  # 20 ms had been sent
    assert stream.counters.dropped_bytes == sum(dropped)
