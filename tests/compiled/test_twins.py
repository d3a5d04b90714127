"""The compiled core and its twins give the same, whatever they are given."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio import core
from bridge.audio.formats import L16_8K, PCMU_8K, AudioFormat, Encoding
from bridge.audio.processor import Converter
from bridge.audio.resampler import COMPILED_PAIRS, Resampler, make_resampler
from bridge.session.voicing import COMPILED_RATES_HZ, Voicing, make_voicing
from bridge.wire.frames import BINARY, client_frame
from bridge.wire.uplink_codec import UplinkCodec, make_codec
from tests.compiled.twins import JSON, RAW, WAYS, both, mostly_plain

pytestmark = pytest.mark.compiled

keys = st.binary(min_size=4, max_size=4)
seeds = st.integers(0, 1 << 32)


def test_the_core_is_what_this_is_about() -> None:
    assert core.running() == f"compiled {core.installed}"


@settings(max_examples=1500)
@given(seeds)
def test_reads_are_taken_alike(seed: int) -> None:
    data = mostly_plain(random.Random(seed))
    compiled, twin = both(L16_8K, PCMU_8K, JSON)
    assert compiled.feed(data) == twin.feed(data)


@given(st.binary(max_size=40))
def test_any_bytes_are_taken_alike(data: bytes) -> None:
    compiled, twin = both(L16_8K, PCMU_8K, JSON)
    assert compiled.feed(data) == twin.feed(data)
    assert compiled.feed(b"\x82" + data) == twin.feed(b"\x82" + data)


@pytest.mark.parametrize("length", [2, 124, 126, 65534])
def test_all_lengths_of_a_plain_frame(length: int) -> None:
    audio, (compiled, twin) = random.Random(length).randbytes(length), both(*WAYS[0], RAW)
    heard = compiled.feed(client_frame(BINARY, audio, b"\x01\x02\x03\x04"))
    assert heard is not None
    assert heard[0] == audio
    assert heard == twin.feed(client_frame(BINARY, audio, b"\x01\x02\x03\x04"))


@settings(max_examples=40)
@pytest.mark.parametrize("shape", [JSON, RAW], ids=["base64", "raw"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}-{way[1]}".replace("/", "_"))
@given(st.lists(st.tuples(st.integers(0, 1500), keys), max_size=5), seeds)
def test_messages_are_made_alike(way, shape, pieces, seed: int) -> None:
    rng, (compiled, twin) = random.Random(seed), both(*way, shape)
    for samples, key in pieces:
        audio = rng.randbytes(2 * samples)
        assert compiled.frame(audio, key) == twin.frame(audio, key)


def test_a_large_piece_makes_the_same_message() -> None:
    audio = random.Random(1).randbytes(200_000)
    for way in WAYS:
        compiled, twin = both(*way, JSON)
        assert compiled.frame(audio, b"mask") == twin.frame(audio, b"mask")


def test_other_rates_have_the_twin() -> None:
    odd = AudioFormat(Encoding.L16, 48000)
    assert isinstance(make_codec(Converter(L16_8K, odd), JSON), UplinkCodec)
    assert isinstance(make_resampler(8000, 48000), Resampler)
    assert isinstance(make_voicing(24000), Voicing)


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
def test_pitches_are_heard_alike(rate_hz: int, seed: int, steady: bool) -> None:
    rng, compiled, twin = np.random.default_rng(seed), make_voicing(rate_hz), Voicing(rate_hz)
    assert isinstance(compiled, core.module.Voicing)
    hop = piece(rng, rate_hz)
    for _ in range(12):
        if rng.random() < 0.2:
            compiled.skip(hop)
            twin.skip(hop)
        elif rng.random() < 0.2:
            compiled.pass_over(hop)
            twin.pass_over(hop)
        assert compiled.look(hop) is twin.look(hop)
        if not steady or rng.random() < 0.2:
            hop = piece(rng, rate_hz)


@pytest.mark.parametrize("wrong", [b"x", "text", 7, bytearray(2), [b"xx"]])
def test_wrong_arguments_are_errors(wrong) -> None:
    compiled, _ = both(L16_8K, PCMU_8K, JSON)
    made = core.module
    for call in (
        made.Resampler(8000, 16000).process,
        made.Voicing(8000).look,
        made.Voicing(8000).skip,
        made.Voicing(8000).pass_over,
        lambda given: compiled.frame(given, b"mask"),
        lambda given: compiled.frame(b"", given),
        lambda given: made.Resampler(given, 8000),
        made.Voicing,
        lambda given: made.UplinkCodec(given, None, b"", b"", 1, True),
        lambda given: made.UplinkCodec(None, given, b"", b"", 1, True),
        lambda given: made.UplinkCodec(None, None, b"", b""),
    ):
        with pytest.raises((TypeError, ValueError)):
            call(wrong)


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
