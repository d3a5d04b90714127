"""Codecs, rates, tones and files."""

from __future__ import annotations

import array
import contextlib
import io
import wave

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.formats import L16_16K, PCMA_8K, PCMU_8K
from esl_controller.simulator import speech
from esl_controller.simulator.switch import sound
from esl_controller.simulator.switch.sound import InvalidSoundError, RateConverter, open_sound


def pcm(samples: list[int]) -> bytes:
    return array.array("h", samples).tobytes()


@given(
    st.lists(st.integers(-32768, 32767), min_size=1, max_size=400),
    st.sampled_from([(8000, 16000), (16000, 8000), (16000, 24000), (24000, 8000), (8000, 8000)]),
    st.lists(st.integers(1, 5), min_size=1, max_size=10),
)
def test_pieces_are_converted_like_the_whole(
    samples: list[int], rates: tuple[int, int], cuts: list[int]
) -> None:
    unit = 3 * 2 * 2  # lengths that every ratio divides
    data = pcm(samples)
    data = data[: len(data) // unit * unit]
    whole = RateConverter(*rates).convert(data)
    assert len(whole) == len(data) * rates[1] // rates[0]
    converter, at, joined = RateConverter(*rates), 0, b""
    for cut in [*cuts, len(data)]:
        joined += converter.convert(data[at : at + cut * unit])
        at += cut * unit
    assert joined == whole


def test_frames_stay_frames() -> None:
    converter = RateConverter(8000, 48000)
    assert [len(converter.convert(bytes(320))) for _ in range(3)] == [1920] * 3


@pytest.mark.parametrize("codec", [PCMU_8K, PCMA_8K, L16_16K], ids=str)
def test_codec_round_trip_is_stable(codec) -> None:
    once = sound.through_codec(pcm([0, 100, -3000, 32000]), codec.encoding)
    assert sound.through_codec(once, codec.encoding) == once


def test_streams() -> None:
    def frames(path: str) -> list[bytes]:
        return list(open_sound(path, PCMU_8K).frames)

    assert len(frames("tone_stream://%(200,0,700)")) == 10
    assert len(frames("tone_stream://%(200,100,700,900);loops=2")) == 30
    assert frames("silence_stream://60") == [bytes(320)] * 3
    endless = open_sound("silence_stream://-1", PCMU_8K).frames
    assert next(endless) == bytes(320)
    forever = open_sound("tone_stream://%(20,0,500);loops=-1", PCMU_8K).frames
    assert len([next(forever) for _ in range(5)]) == 5


@pytest.mark.parametrize("path", ["tone_stream://x", "http://x/y.wav", "/nonexistent.wav", "/etc"])
def test_what_cannot_be_opened(path: str) -> None:
    with pytest.raises(InvalidSoundError):
        open_sound(path, PCMU_8K)


def write_wav(path, channels: int, width: int, rate: int, data: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)


def test_files(tmp_path) -> None:
    beep = speech.beep(0.1)
    (tmp_path / "a.r8").write_bytes(beep.pcm)
    (tmp_path / "a.ul").write_bytes(sound.encode(beep.pcm, PCMU_8K.encoding))
    (tmp_path / "a.PCMU").write_bytes(sound.encode(beep.pcm, PCMU_8K.encoding))
    write_wav(tmp_path / "mono.wav", 1, 2, 8000, beep.pcm)
    write_wav(tmp_path / "stereo.wav", 2, 2, 8000, sound.interleaved(beep.pcm, bytes(1600)))
    write_wav(tmp_path / "bytes.wav", 1, 1, 8000, bytes([128] * 800))

    def played(name: str) -> bytes:
        return b"".join(open_sound(str(tmp_path / name), PCMU_8K).frames)

    assert played("a.r8") == played("mono.wav") == played("stereo.wav") == beep.pcm
    assert played("a.ul") == played("a.PCMU") == sound.through_codec(beep.pcm, PCMU_8K.encoding)
    assert played("bytes.wav") == bytes(1600)
    joined = f"file_string://{tmp_path}/a.r8!{tmp_path}/mono.wav"
    assert b"".join(open_sound(joined, PCMU_8K).frames) == beep.pcm * 2
    (tmp_path / "a.pcmu").write_bytes(b"x")
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    for name in ("a.pcmu", "bad.wav"):
        with pytest.raises(InvalidSoundError):
            played(name)


@given(st.binary(max_size=200))
def test_garbage_is_no_wav(data: bytes) -> None:
    with contextlib.suppress(InvalidSoundError):
        sound.read_wav(data)


def test_wav_with_odd_widths() -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(3)
        writer.setframerate(24000)
        writer.writeframes(b"\x00\x00\x40" * 24)
    samples, rate_hz = sound.read_wav(file.getvalue())
    assert rate_hz == 24000
    assert samples == b"\x00\x40" * 24
