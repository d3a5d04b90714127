from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import (
    L16_8K,
    L16_16K,
    L16_24K,
    L16_48K,
    PCMA_8K,
    PCMU_8K,
    AudioFormat,
    Encoding,
)
from bridge.audio.processor import Converter

FORMATS = [L16_8K, L16_16K, L16_24K, L16_48K, PCMU_8K, PCMA_8K]
formats = st.sampled_from(FORMATS)


def sound(fmt: AudioFormat, ms: int) -> bytes:
    """A second of a soft chord, in any format, made without the code under test."""
    t = np.arange(fmt.rate_hz * ms // 1000) / fmt.rate_hz
    wave = 6000 * np.sin(2 * np.pi * 440 * t) + 4000 * np.sin(2 * np.pi * 1500 * t)
    data = wave.astype("<i2").tobytes()
    return data if fmt.encoding is Encoding.L16 else Converter(L16_8K, fmt).convert(data)


@pytest.mark.parametrize("fmt", FORMATS)
def test_nothing_to_do_gives_the_same_object(fmt: AudioFormat) -> None:
    data = sound(fmt, 20)
    converter = Converter(fmt, fmt)
    assert converter.convert(data) is data
    assert converter.flush() == b""
    assert not converter.resamples


@given(formats, formats, st.integers(0, 200), st.data())
def test_any_cut_even_inside_a_sample_equals_the_whole(source, target, ms: int, draw) -> None:
    data = sound(source, ms)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    edges = [0, *cuts, len(data)]
    cut, whole = Converter(source, target), Converter(source, target)
    pieces = [cut.convert(data[a:b]) for a, b in pairwise(edges)]
    assert b"".join(pieces) + cut.flush() == whole.convert(data) + whole.flush()


@given(formats, formats, st.integers(1, 25))
def test_it_lasts_as_long_as_before(source, target, frames: int) -> None:
    converter = Converter(source, target)
    out = converter.convert(sound(source, 20 * frames)) + converter.flush()
    assert len(out) == target.bytes_per_frame * frames


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_the_sound_is_the_same(source: AudioFormat, target: AudioFormat) -> None:
    converter = Converter(source, target)
    out = converter.convert(sound(source, 400)) + converter.flush()
    back = np.frombuffer(
        Converter(target, AudioFormat(Encoding.L16, target.rate_hz)).convert(out), "<i2"
    )
    ideal = np.frombuffer(sound(AudioFormat(Encoding.L16, target.rate_hz), 400), "<i2")
    edge = target.rate_hz // 50
    heard, wanted = back.astype(float)[edge:-edge], ideal.astype(float)[edge:-edge]
    gain = (heard @ wanted) / (wanted @ wanted)
    assert abs(20 * np.log10(gain)) < 0.2
    error = heard - gain * wanted
    # G.711 itself leaves 37 dB, twice companded less; a linear chain 70 and more.
    linear = Encoding.L16 is source.encoding is target.encoding
    assert 10 * np.log10((wanted**2).mean() / max(1e-9, (error**2).mean())) > (60 if linear else 30)


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_silence_stays_silent(source: AudioFormat, target: AudioFormat) -> None:
    converter = Converter(source, target)
    out = converter.convert(source.silence(200)) + converter.flush()
    # PCMA has no zero: its smallest level, 8, and a little more at the edges, may come out.
    linear = Converter(target, AudioFormat(Encoding.L16, target.rate_hz)).convert(out)
    assert np.abs(np.frombuffer(linear, "<i2").astype(int)).max() <= 11


@given(formats, formats, st.integers(0, 1000), st.booleans())
def test_a_new_signal_knows_nothing_of_the_old(source, target, cut: int, flushed: bool) -> None:
    converter = Converter(source, target)
    converter.convert(sound(source, 60)[:cut])
    if flushed:
        converter.flush()
    else:
        converter.reset()
    fresh, data = Converter(source, target), sound(source, 60)
    assert converter.convert(data) + converter.flush() == fresh.convert(data) + fresh.flush()


def test_only_a_change_of_rate_resamples() -> None:
    for source in FORMATS:
        for target in FORMATS:
            assert Converter(source, target).resamples == (source.rate_hz != target.rate_hz)
