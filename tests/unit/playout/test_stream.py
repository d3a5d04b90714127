"""Audio goes out in frames, in order, in time, and within its limits."""

import pytest

from bridge.audio.formats import L16_16K, PCMU_8K
from bridge.audio.pacer import Pacer
from bridge.errors import LocalProtocolError
from bridge.playout.stream import PlayoutStream

from .far_side import FarSide, advance, speech
from .stream_kit import make, ms


def test_first_audio_leaves_within_the_write() -> None:
    far, _, stream = make()
    stream.write("a", ms(500), 100.0)
    assert [(at, len(chunk)) for at, chunk, _ in far.played] == [(100.0, 320)] * 3


def test_then_one_frame_each_twenty_milliseconds() -> None:
    far, pacer, stream = make()
    stream.write("a", ms(500), 100.0)
    advance(pacer, far, 100.3)
    gaps = [b - a for a, b in zip(far.times_ms[3:], far.times_ms[4:], strict=False)]
    assert set(gaps) == {20}
    assert len(far.played) == 3 + 14


def test_all_of_it_is_sent_once_and_in_order() -> None:
    far, pacer, stream = make()
    data = ms(500)
    for start in range(0, len(data), 998):
        stream.write("a", data[start : start + 998], 100.0)
    stream.finish(100.0)
    advance(pacer, far, 101.0)
    assert far.sound == data
    assert stream.counters.frames_sent == 25
    assert stream.counters.underruns == stream.counters.late_frames == 0


def test_the_last_frame_is_filled_with_silence() -> None:
    far, pacer, stream = make(format=PCMU_8K)
    stream.write("a", b"\x01" * 170, 100.0)
    assert far.sound == b"\x01" * 160
    stream.finish(100.0)
    assert far.sound == b"\x01" * 170 + b"\xff" * 150
    advance(pacer, far, 100.1)
    assert len(pacer) == 0


def test_a_gap_inside_an_answer_is_an_underrun_and_heard_stands_still() -> None:
    far, pacer, stream = make()
    first = []
    stream.on_first_frame = lambda now, playout_ms: first.append((now, playout_ms))
    stream.write("a", ms(100), 100.0)
    advance(pacer, far, 100.3)
    assert stream.heard_ms(100.3) == 100
    stream.write("a", ms(100, 800), 100.3)
    assert len(far.played) == 8
    assert stream.heard_ms(100.35) == 150
    assert stream.counters.underruns == 1
    assert stream.counters.late_frames == 0
    assert first == [(100.0, 0)]


def test_a_late_tick_is_counted_and_made_up() -> None:
    far, pacer, stream = make()
    stream.write("a", ms(1000), 100.0)
    advance(pacer, far, 100.1)
    advance(pacer, far, 100.2, late_s=0.07)
    assert stream.counters.late_frames >= 1
    assert stream.counters.underruns >= 1
    advance(pacer, far, 101.5)
    assert far.sound == ms(1000)


def test_first_frame_tells_when_it_will_be_heard() -> None:
    far, _, stream = make(latency_ms=150)
    first = []
    stream.on_first_frame = lambda now, playout_ms: first.append((now, playout_ms))
    stream.write("a", ms(100), 100.0)
    assert first == [(100.0, 150)]
    assert far.heard_bytes(100.15) == 0


def test_chunks_grow_after_the_first() -> None:
    far, pacer, stream = make(first_chunk_ms=100, chunk_ms=200, lead_ms=120)
    stream.write("a", ms(1000), 100.0)
    advance(pacer, far, 102.0)
    stream.finish(102.0)
    assert [len(chunk) // 16 for _, chunk, _ in far.played] == [100, 200, 200, 200, 200, 100]
    # The second goes at once because only 100 ms are ahead, and so on: never less than 80 ahead.
    assert stream.counters.underruns == 0
    ahead = 0.0
    for at, chunk, _ in far.played[1:]:
        ahead = sum(len(c) / 16000 for t, c, _ in far.played if t <= at) - (at - 100.0)
        assert ahead <= 0.3 + 1e-9
        assert ahead - len(chunk) / 16000 >= 0.078


def test_a_chunk_is_not_held_up_until_it_is_full() -> None:
    far, _, stream = make(first_chunk_ms=100, chunk_ms=200, lead_ms=120)
    stream.write("a", ms(50), 100.0)
    assert [len(chunk) // 16 for _, chunk, _ in far.played] == [40]


def test_silence_is_played_now_and_then_between_answers() -> None:
    far, pacer, stream = make(silence_every_s=1.0)
    drained = []
    stream.on_drained = drained.append
    stream.keep_alive(100.0)
    stream.keep_alive(100.5)
    assert [at for at, _, _ in far.played] == [100.0]
    stream.write("a", ms(400), 100.7)
    stream.keep_alive(100.75)
    stream.finish(100.75)
    advance(pacer, far, 102.0)
    assert far.sound == bytes(320) + ms(400)
    assert len(drained) == 1
    stream.keep_alive(102.05)
    assert far.sound == bytes(320) + ms(400)
    stream.keep_alive(102.15)
    assert far.sound == bytes(320) + ms(400) + bytes(320)
    assert stream.counters.frames_sent == 20
    assert len(pacer) == 0


def test_silence_just_before_an_answer_is_counted_with_the_lead_and_not_as_heard() -> None:
    far, _, stream = make(silence_every_s=1.0)
    first = []
    stream.on_first_frame = lambda now, playout_ms: first.append(playout_ms)
    stream.keep_alive(100.0)
    stream.write("a", ms(300), 100.005)
    assert first == [15]
    assert far.supply_until == pytest.approx(100.06)
    assert stream.heard_ms(100.05) == 30


def test_no_silence_where_freeswitch_has_its_own_or_the_line_is_gone() -> None:
    far, _, stream = make()
    stream.keep_alive(200.0)
    stream.write("a", ms(20), 200.0)
    stream.clear(200.0)
    assert far.sound == ms(20)
    far, _, stream = make(silence_every_s=1.0)
    stream.close()
    stream.keep_alive(200.0)
    assert far.played == []


def test_a_full_queue_drops_the_end() -> None:
    far, pacer = FarSide(), Pacer()
    stream = PlayoutStream(far, pacer, limit_ms=200)
    data = ms(300)
    dropped = stream.write("a", data, 0.0)
    assert dropped == 100 * 16
    assert stream.counters.dropped_bytes == 1600
    stream.finish(0.0)
    advance(pacer, far, 1.0)
    assert far.sound == data[:-1600]


def test_the_last_frame_of_a_full_queue_is_still_sent() -> None:
    far, pacer = FarSide(), Pacer()
    stream = PlayoutStream(far, pacer, limit_ms=50)  # two whole frames
    stream.write("a", ms(300), 0.0)
    stream.finish(0.0)
    advance(pacer, far, 1.0)
    assert far.sound == ms(300)[: len(far.sound)]
    assert len(far.sound) % 320 == 0
    assert stream.idle(1.0)


def test_a_closed_stream_is_off_the_wheel_and_takes_nothing() -> None:
    _, pacer, stream = make()
    stream.write("a", ms(300), 100.0)
    stream.close()
    assert len(pacer) == 0
    with pytest.raises(LocalProtocolError):
        stream.write("a", ms(20), 100.0)


def test_other_formats_and_leads() -> None:
    far, pacer = FarSide(format=L16_16K), Pacer()
    stream = PlayoutStream(far, pacer, lead_ms=100)
    stream.write("a", speech(L16_16K, 500), 0.0)
    assert len(far.played) == 5
    assert {len(chunk) for _, chunk, _ in far.played} == {640}


def test_no_audio_is_no_answer() -> None:
    _, pacer, stream = make()
    assert stream.write("a", b"", 100.0) == 0
    assert stream.idle(100.0)
    assert len(pacer) == 0
