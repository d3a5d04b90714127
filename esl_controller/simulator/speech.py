"""Something for a caller to say: recordings, tones, and synthetic speech that costs nothing.

Synthetic speech has the shape of a voice (pitch, formants, syllables, pauses), not its words; it
is enough for voice activity detectors and load. Everything is 16-bit mono PCM.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bridge.audio.formats import FRAME_MS
from esl_controller.simulator.switch.sound import RateConverter, read_wav, tone

RECORDINGS = {
    "reader_statement": "he was not an ill disposed young man",
    "reader_reflection": "he might even have been made amiable himself",
    "go_forward": "go forward ten meters",
}
"""Recorded voices that come with the package, and their words (`sounds/LICENCES.md`)."""

_FULL_SCALE = 32767

# First three formants of five vowels in Hz.
_VOWELS = (
    (730, 1090, 2440),
    (530, 1840, 2480),
    (270, 2290, 3010),
    (570, 840, 2410),
    (300, 870, 2240),
)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A piece of sound at its own rate."""

    pcm: bytes
    rate_hz: int
    name: str = ""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.pcm) / 2 / self.rate_hz

    def frames(self, rate_hz: int, ptime_ms: int = FRAME_MS) -> list[bytes]:
        """Frames at `rate_hz`, the last one filled up with silence. Kept for reuse."""
        return _frames(self, rate_hz, ptime_ms)


@lru_cache(maxsize=256)
def _frames(clip: Clip, rate_hz: int, ptime_ms: int) -> list[bytes]:
    pcm = RateConverter(clip.rate_hz, rate_hz).convert(clip.pcm)
    size = rate_hz * ptime_ms // 1000 * 2
    return [pcm[at : at + size].ljust(size, b"\0") for at in range(0, len(pcm), size)]


def silence(duration_s: float, rate_hz: int = 8000) -> Clip:
    """Digital silence."""
    return Clip(bytes(2 * round(duration_s * rate_hz)), rate_hz, "silence")


def beep(duration_s: float, frequency_hz: float = 700.0, rate_hz: int = 8000) -> Clip:
    """A plain tone."""
    return Clip(tone(rate_hz, round(duration_s * 1000), (frequency_hz,)), rate_hz, "tone")


def from_wav(path: Path) -> Clip:
    """A WAV file. Raises InvalidSoundError if it is none, OSError if it cannot be read."""
    pcm, rate_hz = read_wav(path.read_bytes())
    return Clip(pcm, rate_hz, path.stem)


def recording(name: str) -> Clip:
    """One of `RECORDINGS`. Raises KeyError for any other name."""
    if name not in RECORDINGS:
        raise KeyError(name)
    file = resources.files("esl_controller.simulator").joinpath("sounds", f"{name}.wav")
    pcm, rate_hz = read_wav(file.read_bytes())
    return Clip(pcm, rate_hz, name)


def joined(*clips: Clip) -> Clip:
    """Clips of one rate, one after the other."""
    rates = {clip.rate_hz for clip in clips}
    if len(rates) != 1:
        raise ValueError(f"clips of different rates: {sorted(rates)}")
    return Clip(b"".join(clip.pcm for clip in clips), rates.pop(), clips[0].name)


@lru_cache(maxsize=64)
def synthetic(
    duration_s: float, rate_hz: int = 8000, *, seed: int = 1, level_dbfs: float = -20.0
) -> Clip:
    """Voice-like sound: syllables of voiced harmonics under formants, with short pauses."""
    rng = np.random.default_rng(seed)
    total = round(duration_s * rate_hz)
    pieces: list[NDArray[np.float64]] = []
    length = 0
    while length < total:
        syllable = _syllable(rng, rate_hz)
        pause_s = rng.uniform(0.02, 0.08) if rng.random() < 0.85 else rng.uniform(0.15, 0.3)
        pieces += [syllable, np.zeros(round(pause_s * rate_hz))]
        length += sum(len(piece) for piece in pieces[-2:])
    signal = np.concatenate(pieces)[:total]
    signal += rng.standard_normal(total) * 1e-4
    rms = float(np.sqrt(np.mean(signal**2))) or 1.0
    signal *= 10 ** (level_dbfs / 20) / rms
    samples = np.clip(signal * _FULL_SCALE, -_FULL_SCALE, _FULL_SCALE).astype("<i2")
    return Clip(samples.tobytes(), rate_hz, f"synthetic-{seed}")


def _syllable(rng: np.random.Generator, rate_hz: int) -> NDArray[np.float64]:
    """One vowel of 120 to 280 ms with gliding pitch and soft edges."""
    count = round(rng.uniform(0.12, 0.28) * rate_hz)
    pitch = np.linspace(rng.uniform(100, 170), rng.uniform(90, 150), count)
    phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
    formants = _VOWELS[rng.integers(len(_VOWELS))]
    mean_pitch = float(pitch.mean())
    voice = np.zeros(count)
    for harmonic in range(1, int(min(3400, rate_hz / 2) / mean_pitch)):
        frequency = harmonic * mean_pitch
        gain = sum(1 / (1 + ((frequency - formant) / 120) ** 2) for formant in formants)
        voice += (gain + 0.02) / harmonic**0.5 * np.sin(harmonic * phase)
    envelope = np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 0.6
    return np.asarray(voice * envelope * rng.uniform(0.5, 1.0))
