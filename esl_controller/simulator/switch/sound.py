"""Sound of the simulated switch: G.711, sample rates, tones and files, all as 16-bit mono PCM.

Rate conversion is linear and has no delay; it is a stand-in for FreeSWITCH's resampler, not a
model of its filter.
"""

from __future__ import annotations

import audioop
import io
import math
import re
import wave
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from pathlib import Path

from bridge.audio.formats import FRAME_MS, AudioFormat, Encoding

MAX_FILE_BYTES = 64 * 1024 * 1024
_TONE = re.compile(r"%\((\d+),(\d+),([\d.,]+)\)")
_TONE_PEAK = 11500
_RatecvState = tuple[int, tuple[tuple[int, int], ...]] | None
# Extension → sample width and rate (mod_sndfile.c takes .r24 and .r32 for 24- and 32-bit samples).
_RAW = {"r8": (2, 8000), "raw": (2, 8000), "r16": (2, 16000), "r24": (3, 24000), "r32": (4, 32000)}


class InvalidSoundError(Exception):
    """FreeSWITCH cannot open it: the file is missing or of no known kind."""


def encode(pcm: bytes, encoding: Encoding) -> bytes:
    """16-bit PCM to the codec's bytes."""
    if encoding is Encoding.PCMU:
        return audioop.lin2ulaw(pcm, 2)
    return audioop.lin2alaw(pcm, 2) if encoding is Encoding.PCMA else pcm


def decode(data: bytes, encoding: Encoding) -> bytes:
    """The codec's bytes to 16-bit PCM."""
    if encoding is Encoding.PCMU:
        return audioop.ulaw2lin(data, 2)
    return audioop.alaw2lin(data, 2) if encoding is Encoding.PCMA else data


def through_codec(pcm: bytes, encoding: Encoding) -> bytes:
    """What is left of `pcm` after it crossed the line in this codec."""
    return pcm if encoding is Encoding.L16 else decode(encode(pcm, encoding), encoding)


def level(pcm: bytes) -> int:
    """Root mean square of 16-bit PCM, 0 to 32767."""
    return audioop.rms(pcm, 2)


def scaled(pcm: bytes, factor: float) -> bytes:
    """16-bit PCM made louder or softer, clipped at full scale."""
    return audioop.mul(pcm, 2, factor)


def mixed(one: bytes, other: bytes) -> bytes:
    """Sum of two frames of equal length, clipped at full scale."""
    return audioop.add(one, other, 2)


def interleaved(left: bytes, right: bytes) -> bytes:
    """Two mono frames of equal length as one stereo frame."""
    return audioop.add(audioop.tostereo(left, 2, 1, 0), audioop.tostereo(right, 2, 0, 1), 2)


class RateConverter:
    """Converts a stream of 16-bit mono PCM; keeps its place from piece to piece.

    A 20 ms frame stays a 20 ms frame: what `audioop` holds back of the first piece is made up for
    with silence, some samples of it.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz = from_hz
        self._to_hz = to_hz
        self._state: _RatecvState = None

    def convert(self, pcm: bytes) -> bytes:
        """The next piece."""
        if self._from_hz == self._to_hz:
            return pcm
        first = self._state is None
        out, self._state = audioop.ratecv(pcm, 2, 1, self._from_hz, self._to_hz, self._state)
        size = len(pcm) // 2 * self._to_hz // self._from_hz * 2
        return out.rjust(size, b"\0") if first else out


@lru_cache(maxsize=64)
def tone(rate_hz: int, duration_ms: int, frequencies_hz: tuple[float, ...]) -> bytes:
    """Sum of sines of equal strength."""
    steps = [2 * math.pi * frequency / rate_hz for frequency in frequencies_hz]
    peak = _TONE_PEAK / len(steps)
    count = rate_hz * duration_ms // 1000
    return array(
        "h", [round(peak * sum(math.sin(step * n) for step in steps)) for n in range(count)]
    ).tobytes()


@dataclass(slots=True)
class Sound:
    """Something `playback` can play: frames at the channel's rate."""

    frames: Iterator[bytes]
    file_type: str = ""
    """`Playback-File-Type` of a stream format; empty for a file."""


def open_sound(path: str, codec: AudioFormat, ptime_ms: int = FRAME_MS) -> Sound:
    """What `playback` would play for `path`. Raises InvalidSoundError."""
    scheme, mark, rest = path.partition("://")
    if not mark:
        return Sound(_frames(_load_file(path, codec), codec, ptime_ms))
    if scheme == "tone_stream":
        return Sound(_tone_frames(rest, codec, ptime_ms), scheme)
    if scheme == "silence_stream":
        return Sound(_silence_frames(rest, codec, ptime_ms), scheme)
    if scheme == "file_string":
        pcm = b"".join(_load_file(part, codec) for part in rest.split("!"))
        return Sound(_frames(pcm, codec, ptime_ms), scheme)
    raise InvalidSoundError(path)


def frame_bytes(codec: AudioFormat, ptime_ms: int = FRAME_MS) -> int:
    """Bytes of 16-bit PCM in one frame at the codec's rate."""
    return codec.rate_hz * ptime_ms // 1000 * 2


def _frames(pcm: bytes, codec: AudioFormat, ptime_ms: int) -> Iterator[bytes]:
    size = frame_bytes(codec, ptime_ms)
    for start in range(0, len(pcm), size):
        yield pcm[start : start + size].ljust(size, b"\0")


def _silence_frames(rest: str, codec: AudioFormat, ptime_ms: int) -> Iterator[bytes]:
    length_ms = int(rest.split(",", maxsplit=1)[0])
    silence = bytes(frame_bytes(codec, ptime_ms))
    return repeat(silence) if length_ms < 0 else repeat(silence, length_ms // ptime_ms)


def _tone_frames(rest: str, codec: AudioFormat, ptime_ms: int) -> Iterator[bytes]:
    found = _TONE.findall(rest)
    if not found:
        raise InvalidSoundError(rest)
    loops = re.search(r"loops=(-?\d+)", rest)
    times = int(loops.group(1)) if loops else 1
    pcm = b""
    for on_ms, off_ms, frequencies in found:
        pitches = tuple(float(pitch) for pitch in frequencies.split(",") if pitch)
        pcm += tone(codec.rate_hz, int(on_ms), pitches)
        pcm += bytes(codec.rate_hz * int(off_ms) // 1000 * 2)
    return _repeated(pcm, times, codec, ptime_ms)


def _repeated(pcm: bytes, times: int, codec: AudioFormat, ptime_ms: int) -> Iterator[bytes]:
    rounds = repeat(None) if times < 0 else repeat(None, times)
    for _ in rounds:
        yield from _frames(pcm, codec, ptime_ms)


def _load_file(path: str, codec: AudioFormat) -> bytes:
    """A whole file as PCM at the codec's rate."""
    file = Path(path)
    extension = file.suffix[1:]
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise InvalidSoundError(path)
        data = file.read_bytes()
    except OSError as error:
        raise InvalidSoundError(path) from error
    pcm, rate_hz = _decode_file(extension, data, codec)
    return RateConverter(rate_hz, codec.rate_hz).convert(pcm)


def _decode_file(extension: str, data: bytes, codec: AudioFormat) -> tuple[bytes, int]:
    if extension in _RAW:
        width, rate_hz = _RAW[extension]
        data = data[: len(data) // width * width]
        return audioop.lin2lin(data, width, 2) if width != 2 else data, rate_hz
    if extension == "wav":
        return read_wav(data)
    if extension in ("ul", "al"):
        return decode(data, Encoding.PCMU if extension == "ul" else Encoding.PCMA), 8000
    if extension == codec.encoding.value:  # mod_native_file: PCMU, PCMA, as the channel has it
        return decode(data, codec.encoding), codec.rate_hz
    raise InvalidSoundError(f"Invalid file format [{extension}]")


def read_wav(data: bytes) -> tuple[bytes, int]:
    """16-bit mono PCM and rate of a WAV file; other widths are converted, the first of several
    channels is taken. Raises InvalidSoundError."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            width, channels, rate_hz = (
                file.getsampwidth(),
                file.getnchannels(),
                file.getframerate(),
            )
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise InvalidSoundError("not a WAV file") from error
    if width == 1:
        pcm = audioop.bias(pcm, 1, -128)
    pcm = audioop.lin2lin(pcm, width, 2)
    if channels > 1:
        samples = array("h", pcm)
        pcm = samples[::channels].tobytes()
    return pcm, rate_hz
