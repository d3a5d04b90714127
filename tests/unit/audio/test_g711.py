import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import Encoding
from bridge.audio.g711 import (
    decode_pcma,
    decode_pcmu,
    encode_pcma,
    encode_pcmu,
    pcma_to_pcmu,
    pcmu_to_pcma,
    transcoder,
)

ALL_LEVELS = np.arange(-32768, 32768, dtype="<i2")
ALL_CODES = bytes(range(256))


def levels(data: bytes) -> np.ndarray:
    return np.frombuffer(data, "<i2").astype(int)


def test_pcmu_levels_of_the_standard() -> None:
    # ITU-T G.711 table 2a, decoder output values times four (14 bits in 16).
    assert list(levels(decode_pcmu(b"\x80\x00\xff\x7f\xf0\xe0"))) == [32124, -32124, 0, 0, 120, 372]


def test_pcma_levels_of_the_standard() -> None:
    # ITU-T G.711 table 1a, decoder output values times eight (13 bits in 16).
    assert list(levels(decode_pcma(b"\xaa\x2a\xd5\x55"))) == [32256, -32256, 8, -8]


@pytest.mark.parametrize(
    ("encode", "decode"), [(encode_pcmu, decode_pcmu), (encode_pcma, decode_pcma)]
)
def test_error_grows_with_the_level_only(encode, decode) -> None:
    back = levels(decode(encode(ALL_LEVELS.tobytes())))
    error = np.abs(back - ALL_LEVELS.astype(int))
    # Half a step of the segment: at most 1/32 of the level, and never less than the smallest step.
    assert np.all(error <= np.maximum(np.abs(ALL_LEVELS.astype(int)) / 16, 16))


@pytest.mark.parametrize(
    ("encode", "decode"), [(encode_pcmu, decode_pcmu), (encode_pcma, decode_pcma)]
)
def test_levels_survive_a_second_round(encode, decode) -> None:
    once = decode(ALL_CODES)
    assert decode(encode(once)) == once


def test_direct_conversion_equals_the_way_over_linear() -> None:
    assert pcmu_to_pcma(ALL_CODES) == encode_pcma(decode_pcmu(ALL_CODES))
    assert pcma_to_pcmu(ALL_CODES) == encode_pcmu(decode_pcma(ALL_CODES))


@given(st.binary(max_size=400), st.integers(0, 400), st.sampled_from(Encoding), st.data())
def test_any_cut_between_samples(data: bytes, cut: int, source: Encoding, draw) -> None:
    target = draw.draw(st.sampled_from([e for e in Encoding if e is not source]))
    convert = transcoder(source, target)
    assert convert is not None
    if source is Encoding.L16:
        data, cut = data[: len(data) & ~1], cut & ~1
    assert convert(data[:cut]) + convert(data[cut:]) == convert(data)


def test_nothing_to_do_is_none() -> None:
    assert [transcoder(e, e) for e in Encoding] == [None, None, None]


def test_import_warns_nobody() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", "import bridge.audio.g711"], check=True)
