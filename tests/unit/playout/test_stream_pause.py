"""An answer paused for a caller who may be interrupting: silent at once, and on where it was."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.fade import fade_in, fade_out
from bridge.audio.formats import L16_8K
from bridge.audio.pacer import Pacer
from bridge.playout.base import Fade
from bridge.playout.heard import HeardPosition
from bridge.playout.stream import PlayoutStream

from .far_side import FarSide, advance, speech
from .stream_kit import make, ms

FADED = 160
"""Samples of 20 ms at 8 kHz."""


class Ear:
    """Plays through any far side and gives what was heard, without what a pause put in between."""

    def __init__(self, **traits) -> None:
        self.far, self.pacer = FarSide(**traits), Pacer()
        self.far.now = 100.0
        self.stream = PlayoutStream(self.far, self.pacer)
        self.between: set[int] = set()
        self.resumed: set[int] = set()
        self.generation = 0

    def aside(self, act) -> None:
        first = len(self.far.played)
        act(self.far.now)
        self.between.update(range(first, len(self.far.played)))

    def resume(self) -> None:
        self.generation += 1
        self.stream.begin(self.generation)
        self.resumed.add(len(self.far.played))
        self.stream.resume(self.far.now)

    def advance(self, after_s: float) -> None:
        advance(self.pacer, self.far, self.far.now + after_s)

    def heard(self) -> tuple[bytes, set[int]]:
        """The answer as heard, and where in it (in samples) a fade began."""
        sound, fades = b"", set()
        chunks = zip(self.far.played, self.far.heard_from, strict=True)
        for number, ((_, chunk, _), (_, size)) in enumerate(chunks):
            if number in self.resumed:
                fades.add(len(sound) // 2)
            if number not in self.between:
                sound += chunk[: size // 2 * 2]
        return sound, fades


@given(
    recalls_and_fade=st.sampled_from([*((True, fade) for fade in Fade), (False, Fade.BEHIND_SENT)]),
    lead_ms=st.sampled_from([20, 40, 60, 120, 440]),
    latency_ms=st.sampled_from([0, 10, 45, 150]),
    chunk_ms=st.sampled_from([20, 100, 200]),
    steps=st.lists(
        st.tuples(st.sampled_from(["write", "pause", "resume"]), st.integers(1, 400)), max_size=14
    ),
)
def test_nothing_is_lost_or_doubled(recalls_and_fade, lead_ms, latency_ms, chunk_ms, steps) -> None:
    recalls, fade = recalls_and_fade
    ear = Ear(recalls=recalls, fade=fade, lead_ms=lead_ms, latency_ms=latency_ms, chunk_ms=chunk_ms)
    written, spoken, recalled = b"", 0, 0
    for what, amount in [("write", 300), *steps]:
        if what == "write":
            data = speech(L16_8K, amount, spoken)
            spoken += amount * 8
            ear.stream.write("a", data, ear.far.now)
            written += data
        elif what == "pause":
            before = len(ear.far.cleared)
            ear.aside(ear.stream.pause)
            recalled += len(ear.far.cleared) - before
            ear.advance(0.5 + amount / 1000)
        else:
            ear.resume()
            ear.advance(amount / 1000)
    ear.resume()
    ear.advance(len(written) / 16000 + 2)
    ear.stream.finish(ear.far.now)
    sound, fades = ear.heard()
    # Where the module's queue is recalled, the cut is known to the sample's rounding.
    assert -2 * recalled <= len(sound) - len(written) < 320 + 2 * recalled
    if recalled:
        return
    got, wanted = array("h", sound), array("h", written)
    for at, (one, other) in enumerate(zip(got, wanted, strict=False)):
        if not any(begin <= at < begin + FADED for begin in fades):
            assert one == other
        else:
            assert min(0, other) <= one <= max(0, other)


def test_a_pause_is_silent_at_once_and_resumes_where_the_ear_was() -> None:
    far, pacer, stream = make(lead_ms=100)
    stream.write("a", ms(600), 100.0)
    advance(pacer, far, 100.2)
    assert stream.pause(100.21)
    assert far.cleared == [(100.21, 0)]
    advance(pacer, far, 101.0)
    assert far.heard_bytes(101.0) == 210 * 16
    assert len(pacer) == 0
    sent = len(far.played)
    stream.begin(1)
    stream.resume(101.0)
    assert far.played[sent][1] == fade_in(ms(20, 210 * 8), 8000)
    stream.finish(101.0)
    advance(pacer, far, 102.0)
    assert far.heard_bytes(102.0) == (600 + 10) * 16  # the last frame is filled up
    assert stream.counters.underruns == 0


def test_what_is_sent_behind_the_lead_fades() -> None:
    far, pacer, stream = make(recalls=False, lead_ms=40, fade=Fade.BEHIND_SENT)
    stream.write("a", b"\x00\x20" * 8 * 600, 100.0)
    advance(pacer, far, 100.1)
    sent = len(far.played)
    stream.pause(100.1)
    ((_, faded, _),) = far.played[sent:]
    assert faded == fade_out(b"\x00\x20" * 160, 8000)
    samples = array("h", faded)
    assert list(samples) == sorted(samples, reverse=True)
    assert samples[-1] < 5


@pytest.mark.parametrize("recalls", [False, True])
def test_an_interruption_without_a_pause_fades_too(recalls: bool) -> None:
    """What could be recalled, but not in order with what follows, is played to its end."""
    far, pacer, stream = make(recalls=recalls, lead_ms=40, fade=Fade.BEHIND_SENT)
    stream.write("a", b"\x00\x20" * 8 * 600, 100.0)
    advance(pacer, far, 100.1)
    sent = len(far.played)
    heard = stream.clear(100.1)
    ((_, faded, _),) = far.played[sent:]
    assert faded == fade_out(b"\x00\x20" * 160, 8000)
    assert heard == HeardPosition("a", 20 * sent)
    assert not far.cleared
    stream.write("b", ms(20), 101.0)
    stream.finish(101.0)
    assert stream.heard_ms(101.1) == 20


def test_a_confirmed_interruption_ends_where_the_pause_began() -> None:
    far, pacer, stream = make(lead_ms=100)
    stream.write("a", ms(150), 100.0)
    stream.write("b", ms(600), 100.0)
    advance(pacer, far, 100.2)
    stream.pause(100.2)
    played = len(far.played)
    assert stream.clear(101.0) == HeardPosition("b", 50)
    assert len(far.played) == played


def test_what_comes_during_a_pause_waits() -> None:
    far, pacer, stream = make(lead_ms=40)
    drained = []
    stream.on_drained = drained.append
    stream.write("a", ms(100), 100.0)
    advance(pacer, far, 100.06)
    assert stream.pause(100.06)
    stream.write("a", ms(100, 800), 100.1)
    stream.finish(100.1)
    advance(pacer, far, 101.0)
    assert far.heard_bytes(101.0) == 60 * 16
    assert drained == []
    stream.begin(1)
    stream.resume(101.0)
    advance(pacer, far, 102.0)
    assert far.heard_bytes(102.0) == 200 * 16
    assert len(drained) == 1


def test_a_phone_gets_rtp_in_a_pause() -> None:
    far, _, stream = make(recalls=False, silence_every_s=1.0, fade=Fade.BEHIND_SENT, lead_ms=40)
    stream.write("a", ms(600), 100.0)
    stream.pause(100.1)
    sent = len(far.played)
    stream.keep_alive(100.5)
    assert len(far.played) == sent
    stream.keep_alive(101.5)
    assert far.played[-1][1] == L16_8K.silence(20)


def test_nothing_to_hold_back_is_no_pause() -> None:
    far, pacer, stream = make(recalls=False, lead_ms=40)
    assert not stream.pause(100.0)
    stream.write("a", ms(40), 100.0)
    stream.finish(100.0)
    advance(pacer, far, 100.03)
    assert not stream.pause(100.03)
