"""A voice for the emulated model: the same words always give the same sound.

Not speech, but like it: a buzz through vowel formants, in syllables with pauses, so that levels,
gaps and voice activity can be measured. Recorded or espeak-ng speech can take its place.
"""

from __future__ import annotations

import audioop
import wave
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pybase64
import soxr

from bridge.audio.formats import AudioFormat, Encoding

RATE_HZ = 24000
SYLLABLE_S = 0.16
PAUSE_S = {" ": 0.04, ",": 0.15, ".": 0.25, "?": 0.25, "!": 0.25}
PITCH_HZ = 118.0
LEVEL = 0.25
"""Loudness of a syllable's peak, of full scale."""
HUM = 0.004
"""Loudness of a pause, of a syllable's peak."""
_HARMONICS = 24
_FORMANTS = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
"""First three formants of a man's vowels in hertz (Peterson and Barney, 1952)."""
_Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chunk:
    """One delta's worth of audio."""

    base64: bytes
    length_ms: float


@lru_cache(maxsize=16)
def _syllable(vowel: str) -> _Samples:
    time_s = np.arange(int(SYLLABLE_S * RATE_HZ)) / RATE_HZ
    sound = np.zeros_like(time_s)
    for harmonic in range(1, _HARMONICS + 1):
        hertz = harmonic * PITCH_HZ
        gain = sum(1 / (1 + ((hertz - formant) / 90) ** 2) for formant in _FORMANTS[vowel])
        sound += gain / harmonic**0.5 * np.sin(2 * np.pi * hertz * time_s + harmonic)
    envelope = np.sin(np.pi * time_s / SYLLABLE_S) ** 0.5
    peak = float(np.max(np.abs(sound))) or 1.0
    return sound / peak * envelope


def _pause(length: int) -> _Samples:
    """Faint hum, as in a recording's pauses: digital silence inside an answer is a gap."""
    return HUM * np.sign(np.sin(2 * np.pi * PITCH_HZ * (np.arange(length) + 0.5) / RATE_HZ))


def synthetic_speech(text: str) -> bytes:
    """16-bit samples at 24 kHz: one syllable for each vowel, pauses for spaces and stops."""
    pieces: list[_Samples] = []
    for letter in text.lower():
        if letter in _FORMANTS:
            pieces.append(_syllable(letter))
        elif letter in PAUSE_S:
            pieces.append(_pause(int(PAUSE_S[letter] * RATE_HZ)))
    if not pieces:
        pieces.append(_syllable("a"))
    samples = np.concatenate(pieces) * LEVEL * 32767
    return samples.astype("<i2").tobytes()


def read_wav(path: str) -> bytes:
    """16-bit samples at 24 kHz of a mono 16-bit WAV file of any rate."""
    with wave.open(path, "rb") as file:
        if file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise ValueError(f"{path}: mono 16-bit WAV needed")
        samples = file.readframes(file.getnframes())
        return resample(samples, file.getframerate(), RATE_HZ)


def resample(samples: bytes, from_hz: int, to_hz: int) -> bytes:
    """16-bit samples at another rate."""
    if from_hz == to_hz:
        return samples
    array = np.frombuffer(samples, dtype="<i2")
    return bytes(soxr.resample(array, from_hz, to_hz).astype("<i2").tobytes())


def encode(samples: bytes, audio_format: AudioFormat) -> bytes:
    """24 kHz samples in the format a session asked for."""
    samples = resample(samples, RATE_HZ, audio_format.rate_hz)
    if audio_format.encoding is Encoding.PCMU:
        return audioop.lin2ulaw(samples, 2)
    if audio_format.encoding is Encoding.PCMA:
        return audioop.lin2alaw(samples, 2)
    return samples


def decode(data: bytes, audio_format: AudioFormat) -> bytes:
    """16-bit samples, at the format's own rate."""
    if audio_format.encoding is Encoding.PCMU:
        return audioop.ulaw2lin(data, 2)
    if audio_format.encoding is Encoding.PCMA:
        return audioop.alaw2lin(data, 2)
    return data


def silence(chunk: Chunk, audio_format: AudioFormat) -> bytes:
    """As much digital silence, in base64."""
    return pybase64.b64encode(audio_format.silence(round(chunk.length_ms)))


class Voice:
    """Speech as ready-made deltas, kept for the next time the same words are said."""

    def samples(self, text: str, wav: str) -> bytes | None:
        """Speech for `text`; None while it is still being made."""
        return read_wav(wav) if wav else synthetic_speech(text)

    def chunks(
        self, text: str, wav: str, audio_format: AudioFormat, delta_ms: int, speed: float
    ) -> tuple[Chunk, ...] | None:
        """Deltas of `delta_ms` each, the last one shorter; None while still being made."""
        key = (text, wav, audio_format, delta_ms, speed)
        found = self._cache.get(key)
        if found is None:
            samples = self.samples(text, wav)
            if samples is None:
                return None
            found = _cut(_at_speed(samples, speed), audio_format, delta_ms)
            if len(self._cache) >= MAX_CACHED:
                self._cache.clear()
            self._cache[key] = found
        return found

    def __init__(self) -> None:
        self._cache: dict[tuple[str, str, AudioFormat, int, float], tuple[Chunk, ...]] = {}


MAX_CACHED = 256


def _at_speed(samples: bytes, speed: float) -> bytes:
    """Shorter or longer by playing at another rate; the pitch moves with it."""
    return resample(samples, int(RATE_HZ * speed), RATE_HZ) if speed != 1.0 else samples


def _cut(samples: bytes, audio_format: AudioFormat, delta_ms: int) -> tuple[Chunk, ...]:
    data = encode(samples, audio_format)
    size = audio_format.bytes_for_ms(delta_ms)
    pieces = (data[begin : begin + size] for begin in range(0, len(data), size))
    per_ms = audio_format.rate_hz * audio_format.bytes_per_sample / 1000
    return tuple(Chunk(pybase64.b64encode(piece), len(piece) / per_ms) for piece in pieces)
