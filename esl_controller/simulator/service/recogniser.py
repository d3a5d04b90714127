"""Hears what was said, where all that can be said is known: by comparing sound with sound.

It stands for a speech recogniser in emulated services: from the audio alone, however noisy, it
tells which of the known clips are in it, and hears no words in anything else.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bridge.audio.pcm import audioop

RATE_HZ = 4000
"""Enough to tell sentences apart, and cheap."""
LEAST_ALIKE = 0.35
"""Of a clip and what was heard: at 5 dB of noise it is 0.87, half a clip 0.7, chance below 0.2."""

FAINTEST = 0.05
"""Of the clip's energy must be there: a rest of it could be anything."""

Samples = NDArray[np.float32]


def _samples(pcm: bytes, rate_hz: int) -> Samples:
    if rate_hz != RATE_HZ:
        pcm, _ = audioop.ratecv(pcm, 2, 1, rate_hz, RATE_HZ, None)
    return np.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(np.float32)


class Recogniser:
    """Knows some sentences by their sound: words → L16 and its rate."""

    def __init__(self, known: Mapping[str, tuple[bytes, int]]) -> None:
        self._known = {words: _samples(pcm, rate_hz) for words, (pcm, rate_hz) in known.items()}

    def words(self, pcm: bytes, rate_hz: int) -> str:
        """What is said in L16, in order; empty: no words."""
        heard = _samples(pcm, rate_hz)
        if not len(heard):
            return ""
        found = [
            (where, words)
            for words, clip in self._known.items()
            for alike, where in [_alike(heard, clip)]
            if alike >= LEAST_ALIKE
        ]
        return " ".join(words for _, words in sorted(found))


def _alike(heard: Samples, clip: Samples) -> tuple[float, int]:
    """How much of `clip` is in `heard` at the best place, 0 to 1, and that place.

    What is heard may begin in the middle of the clip: so it is laid over it from before its start.
    """
    edge = np.zeros(len(clip), np.float32)
    padded = np.concatenate([edge, heard, edge])
    size = 1 << int(len(padded) + len(clip) - 1).bit_length()
    spectrum = np.fft.rfft(padded, size) * np.conj(np.fft.rfft(clip, size))
    products = np.fft.irfft(spectrum, size)[: len(padded) - len(clip) + 1]
    energy = np.concatenate([[0.0], np.cumsum(padded.astype(np.float64) ** 2)])
    below = energy[len(clip) :] - energy[: -len(clip)]
    whole = max(1.0, float((clip.astype(np.float64) ** 2).sum()))
    alike = products / np.sqrt(np.maximum(below, FAINTEST * whole) * whole)
    best = int(np.argmax(alike))
    return float(alike[best]), best - len(clip)
