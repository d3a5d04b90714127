"""The compiled core and its twins give the same, whatever they are given."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio import core
from bridge.audio.formats import L16_8K, L16_16K, PCMU_8K, AudioFormat, Encoding
from bridge.audio.processor import Converter
from bridge.audio.resampler import COMPILED_PAIRS, Resampler, make_resampler
from bridge.audio.ring_buffer import RingBuffer, make_queue
from bridge.session.echo_levels import MAX_DELAY, PythonLevels, make_levels
from bridge.session.kept_audio import PythonKept, make_kept
from bridge.session.voice_activity import COMPILED_RATES_HZ, VoiceActivity, make_activity
from bridge.wire.frames import BINARY, client_frame
from bridge.wire.uplink_codec import Hearing, UplinkCodec, make_codec
from tests.compiled.twins import JSON, RAW, WAYS, Pair, activity_of, mostly_plain

pytestmark = pytest.mark.compiled

keys = st.binary(min_size=4, max_size=4)
seeds = st.integers(0, 1 << 32)


def test_the_core_is_what_this_is_about() -> None:
    assert core.running() == f"compiled {core.installed}"


@settings(max_examples=1000)
@given(seeds, st.booleans())
def test_reads_are_taken_alike(seed: int, silent: bool) -> None:
    Pair(L16_8K, PCMU_8K, JSON).take(mostly_plain(random.Random(seed)), 100.0, silent, b"mask")


@given(st.binary(max_size=40))
def test_any_bytes_are_taken_alike(data: bytes) -> None:
    pair = Pair(L16_8K, PCMU_8K, JSON)
    pair.take(data, 1.0, False, b"mask")
    pair.take(b"\x82" + data, 2.0, False, b"mask")


@pytest.mark.parametrize("length", [2, 124, 126, 65534])
def test_all_lengths_of_a_plain_frame(length: int) -> None:
    audio, pair = random.Random(length).randbytes(length), Pair(L16_16K, L16_16K, RAW)
    frame = client_frame(BINARY, audio, b"\x01\x02\x03\x04")
    taken = pair.take(frame, 1.0, False, b"\x01\x02\x03\x04")
    assert taken is not None
    assert (taken.message, taken.sent) == (frame, length)


@settings(max_examples=40)
@pytest.mark.parametrize("shape", [JSON, RAW], ids=["base64", "raw"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}-{way[1]}".replace("/", "_"))
@given(st.lists(st.tuples(st.integers(0, 1500), keys), max_size=5), seeds)
def test_messages_are_made_alike(way, shape, pieces, seed: int) -> None:
    rng, pair = random.Random(seed), Pair(*way, shape)
    for samples, key in pieces:
        pair.message(rng.randbytes(2 * samples), key)


def test_a_large_piece_makes_the_same_message() -> None:
    audio = random.Random(1).randbytes(60_000)
    for way in WAYS:
        assert Pair(*way, JSON).message(audio, b"mask")[1] > 0


@settings(max_examples=60)
@given(seeds)
def test_a_conversation_is_taken_alike(seed: int) -> None:
    """Voices begin and end, echoes come back, the clock runs, the provider is lost."""
    rng, pair = np.random.default_rng(seed), Pair(L16_8K, PCMU_8K, RAW)
    now, told = 100.0, 0
    for hearing in pair.hearings:
        hearing.kept.hold(2000)
    hop = piece(rng, 8000)
    for _ in range(60):
        now += float(rng.choice((0.02, 0.02, 0.02, 0.5)))
        for levels in (hearing.levels for hearing in pair.hearings):
            levels.played(hop, 8000, now + 0.06)
        gain, delay = float(rng.choice((0.0, 0.3))), int(rng.integers(0, MAX_DELAY + 1))
        if rng.random() < 0.1:
            for hearing in pair.hearings:
                hearing.levels.expect(gain, delay)
        taken = pair.take(client_frame(BINARY, hop, b"mask"), now, False, b"mask")
        assert taken is not None
        told += taken.changed is not None
        kept = [len(hearing.kept) for hearing in pair.hearings]
        assert kept[0] == kept[1]
        if rng.random() < 0.1:
            hop = piece(rng, 8000)
    compiled, twin = pair.hearings
    assert compiled.kept.take() == twin.kept.take()
    assert compiled.levels.lately(25) == tuple(map(tuple, twin.levels.lately(25)))


def test_other_rates_have_the_twin() -> None:
    odd = AudioFormat(Encoding.L16, 48000)
    hearing = Hearing(make_activity(8000), make_levels(), make_kept())
    assert isinstance(make_codec(Converter(L16_8K, odd), JSON, hearing), UplinkCodec)
    assert isinstance(make_resampler(8000, 48000), Resampler)
    assert isinstance(make_activity(48000), VoiceActivity)
    uncompiled = hearing._replace(activity=make_activity(48000))
    assert isinstance(make_codec(Converter(L16_8K, PCMU_8K), JSON, uncompiled), UplinkCodec)


def piece(rng: np.random.Generator, rate_hz: int) -> bytes:
    """20 ms of something: a voice, noise, both, silence or the loudest there is."""
    count = rate_hz // 50
    t = np.arange(count) / rate_hz
    level, noise = 10 ** rng.uniform(0, 4.5), 10 ** rng.uniform(0, 4)
    voice = np.sign(np.sin(2 * np.pi * rng.uniform(50, 500) * t)) * level * rng.integers(0, 2)
    mixed = voice + rng.normal(0, noise, count) * rng.integers(0, 2)
    return mixed.clip(-32768, 32767).astype("<i2").tobytes()


@settings(max_examples=60)
@pytest.mark.parametrize("rate_hz", sorted(COMPILED_RATES_HZ))
@given(seeds, st.booleans())
def test_voices_are_heard_alike(rate_hz: int, seed: int, cut: bool) -> None:
    rng = np.random.default_rng(seed)
    compiled, twin = make_activity(rate_hz), VoiceActivity(rate_hz)
    assert isinstance(compiled, core.module.VoiceActivity)
    hop = piece(rng, rate_hz)
    for _ in range(40):
        given = hop[: 2 * int(rng.integers(0, len(hop)))] if cut else hop * int(rng.integers(1, 3))
        rms, echo_rms = None, float(rng.choice((0.0, 0.0, 2000.0)))
        if rng.random() < 0.05:
            end_ms = int(rng.integers(0, 2000))
            compiled.wait(end_ms)
            twin.wait(end_ms)
        elif rng.random() < 0.02:
            compiled.conclude()
            twin.conclude()
        assert compiled.hear(given, rms, echo_rms) is twin.hear(given, rms, echo_rms)
        assert activity_of(compiled) == activity_of(twin)
        if rng.random() < 0.15:
            hop = piece(rng, rate_hz)


@settings(max_examples=60)
@given(seeds)
def test_levels_are_compared_alike(seed: int) -> None:
    rng, compiled, twin = np.random.default_rng(seed), make_levels(), PythonLevels()
    both, now = (compiled, twin), float(rng.choice((0.0, 5.0, 1e6)))
    for _ in range(200):
        now += float(rng.choice((0.02, 0.02, 0.02, 0.02, 0.1, -0.01)))
        data = piece(rng, 8000)[: int(rng.choice((320, 320, 100, 0)))] * int(rng.integers(1, 4))
        rms = float(rng.uniform(0, 30_000))
        for levels in both:
            levels.played(data, 8000, now + 0.1)
        assert compiled.heard(rms, now) is twin.heard(rms, now)
        assert compiled.expected() == twin.expected()
    np.testing.assert_allclose(compiled.alike(), twin.alike(), rtol=1e-9, atol=1e-12)
    for delay in (0, MAX_DELAY):
        assert compiled.both(delay) == tuple(map(tuple, twin.both(delay)))


@given(st.lists(st.tuples(st.sampled_from("aahft"), st.integers(0, 9000)), max_size=12), seeds)
def test_what_was_sent_is_kept_alike(steps, seed: int) -> None:
    rng, compiled, twin = random.Random(seed), make_kept(), PythonKept()
    for step, size in steps:
        data = rng.randbytes(2 * size)
        for kept in (compiled, twin):
            if step == "a":
                kept.add(data)
            elif step == "h":
                kept.hold(size)
            elif step == "f":
                kept.forget()
        assert len(compiled) == len(twin)
        if step == "t":
            assert compiled.take() == twin.take()
    assert compiled.take() == twin.take()


QUEUE_STEPS = st.sampled_from(["write"] * 4 + ["read"] * 4 + ["peek", "lately", "take_back"])


@settings(max_examples=400)
@given(
    st.lists(st.tuples(QUEUE_STEPS | st.sampled_from(["forget", "clear"]), st.integers(0, 700))),
    st.integers(0, 2000),
    st.integers(0, 1500),
    st.booleans(),
    seeds,
)
def test_audio_waits_alike(steps, limit: int, keep: int, as_ulaw: bool, seed: int) -> None:
    rng, limit = random.Random(seed), 2 * limit
    compiled = make_queue(limit, keep=keep, as_ulaw=as_ulaw)
    twin = RingBuffer(limit, keep=keep, as_ulaw=as_ulaw)
    for step, samples in steps:
        given = {"write": (rng.randbytes(2 * samples),), "forget": (), "clear": ()}
        arguments = given.get(step, (2 * samples if as_ulaw else samples,))
        one, other = (getattr(queue, step)(*arguments) for queue in (compiled, twin))
        assert one == other, step
        assert compiled.depth == len(compiled) == twin.depth == len(twin)
    assert compiled.lately(1 << 20) == twin.lately(1 << 20)
    assert compiled.read(1 << 20) == twin.read(1 << 20)


@pytest.mark.parametrize("wrong", [b"x", "text", 7.5, bytearray(2), [b"xx"]])
def test_wrong_arguments_are_errors(wrong) -> None:
    pair, made = Pair(L16_8K, PCMU_8K, JSON), core.module
    codec, hearing = pair.codecs[0], pair.hearings[0]
    for call in (
        made.Resampler(8000, 16000).process,
        hearing.activity.hear,
        hearing.activity.wait,
        lambda given: hearing.activity.hear(b"xx", given if given != 7.5 else b""),
        lambda given: hearing.levels.played(given, 8000, 1.0),
        lambda given: hearing.levels.heard(given if given != 7.5 else b"", 1.0),
        lambda given: hearing.levels.expect(0.5, given),
        hearing.levels.both,
        hearing.levels.lately,
        hearing.kept.add,
        hearing.kept.hold,
        lambda given: codec.take(given if given != b"x" else 3, 1.0, False, b"mask"),
        lambda given: codec.take(b"", given if given != 7.5 else b"", False, b"mask"),
        lambda given: codec.take(b"", 1.0, False, given),
        lambda given: made.Resampler(given, 8000),
        lambda given: made.VoiceActivity(given, 400, 500.0),
        made.EchoLevels,
        made.KeptAudio,
        lambda given: made.RingBuffer(given, 0, False),
        lambda given: made.RingBuffer(10, given, False),
        lambda given: made.RingBuffer(10, 10, True).write(given if given != b"xx" else b"x"),
        made.RingBuffer(10, 10, False).read,
        made.RingBuffer(10, 10, False).peek,
        made.RingBuffer(10, 10, False).lately,
        made.RingBuffer(10, 10, False).take_back,
        lambda given: made.UplinkCodec(given, None, b"", b"", 1, True, *hearing),
        lambda given: made.UplinkCodec(None, given, b"", b"", 1, True, *hearing),
        lambda given: made.UplinkCodec(None, None, b"", b"", 1, True, given, *hearing[1:]),
        lambda given: made.UplinkCodec(None, None, b"", b"", 1, True, *hearing[:2], given),
        lambda given: made.UplinkCodec(None, None, b"", b""),
    ):
        with pytest.raises((TypeError, ValueError)):
            call(wrong)


@pytest.mark.parametrize("now", [float("nan"), float("inf"), 1e300])
def test_what_is_no_moment_is_an_error(now: float) -> None:
    pair = Pair(L16_8K, PCMU_8K, JSON)
    for call in (
        lambda: pair.codecs[0].take(b"", now, False, b"mask"),
        lambda: pair.hearings[0].levels.heard(1.0, now),
        lambda: pair.hearings[0].levels.played(b"", 8000, now),
    ):
        with pytest.raises(ValueError, match="moment"):
            call()


# --- the filter -------------------------------------------------------------------------------


def converted(pair: tuple[int, int], samples: np.ndarray) -> np.ndarray:
    resampler = make_resampler(*pair)
    data = samples.round().clip(-32768, 32767).astype("<i2").tobytes()
    out = resampler.process(data) + resampler.flush()
    return np.frombuffer(out, "<i2").astype(float)[pair[1] // 8 : -pair[1] // 8]


def tone(pair: tuple[int, int], hz: float) -> tuple[float, float]:
    """Of a tone near full scale: its gain, and its ratio to everything else, in dB."""
    level, rate_in, rate_out = 30000, *pair
    t = np.arange(rate_in) / rate_in
    out = converted(pair, level * np.sin(2 * np.pi * hz * t))
    t = np.arange(len(out)) / rate_out
    basis = np.stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t)], axis=1)
    weights = np.linalg.lstsq(basis, out, rcond=None)[0]
    kept = basis @ weights
    gain_db = 20 * np.log10(np.hypot(*weights) / level)
    return float(gain_db), float(10 * np.log10(kept.var() / (out - kept).var()))


@pytest.mark.parametrize("pair", sorted(COMPILED_PAIRS))
def test_the_band_of_a_telephone_passes_flat_and_clean(pair) -> None:
    end_hz = 3400 if 8000 in pair else 6500
    tones = [tone(pair, hz) for hz in np.linspace(111, end_hz, 24)]
    gains = [gain for gain, _ in tones]
    assert max(map(abs, gains)) < 0.1
    assert min(ratio for _, ratio in tones) >= 90


@pytest.mark.parametrize("pair", sorted(pair for pair in COMPILED_PAIRS if pair[0] > pair[1]))
def test_what_lies_beyond_the_edge_does_not_fold(pair) -> None:
    rate_in, rate_out = pair
    t = np.arange(rate_in) / rate_in
    for hz in np.linspace(rate_out / 2, rate_in / 2 - 50, 40):
        left = converted(pair, 30000 * np.sin(2 * np.pi * hz * t))
        assert np.sqrt((left**2).mean()) < 30000 / np.sqrt(2) * 10 ** (-75 / 20)
