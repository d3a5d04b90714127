"""Hears what was said, where all that can be said is known: by comparing sound with sound.

It stands for a speech recogniser in emulated services: from the audio alone, however noisy, it
tells which of the known clips are in it, and hears no words in anything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bridge.audio.pcm import audioop

RATE_HZ = 4000
"""Enough to tell sentences apart, and cheap."""
LEAST_ALIKE = 0.35
"""Of a clip and what was heard: at 5 dB of noise it is 0.87, half a clip 0.7, chance below 0.2."""
FAINTEST = 0.05
"""Of the clip's energy must be there: a rest of it could be anything."""

Samples = NDArray[np.float64]


class _Found(NamedTuple):
    alike: float
    start: int
    end: int
    words: str

    def hides(self, other: _Found) -> bool:
        """Both cannot be: they are the same sound."""
        shared = min(self.end, other.end) - max(self.start, other.start)
        return shared > 0.3 * min(self.end - self.start, other.end - other.start)


class Recogniser:
    """Knows some sentences by their sound: pairs of words and L16 with its rate.

    One sentence may be known in several voices.
    """

    def __init__(self, known: Iterable[tuple[str, tuple[bytes, int]]]) -> None:
        self._known = [(words, _samples(pcm, rate_hz)) for words, (pcm, rate_hz) in known]
        self._longest = max((len(clip) for _, clip in self._known), default=0)
        self._spectra = lru_cache(maxsize=256)(self._spectrum)

    def words(self, pcm: bytes, rate_hz: int) -> str:
        """What is said in L16, in order; empty: no words."""
        heard = _samples(pcm, rate_hz)
        if not len(heard) or not self._known:
            return ""
        edge = np.zeros(self._longest)  # it may begin in the middle of a clip
        padded = np.concatenate([edge, heard, edge])
        size = 1 << int(len(padded) + self._longest).bit_length()
        spectrum = np.fft.rfft(padded, size)
        energy = np.concatenate([[0.0], np.cumsum(padded**2)])
        found = [self._find(number, spectrum, energy, size) for number in range(len(self._known))]
        said: list[_Found] = []
        for one in sorted(found, reverse=True):
            if one.alike >= LEAST_ALIKE and not any(other.hides(one) for other in said):
                said.append(one)
        return " ".join(one.words for one in sorted(said, key=lambda one: one.start))

    def _spectrum(self, number: int, size: int) -> NDArray[np.complex128]:
        return np.conj(np.fft.rfft(self._known[number][1], size))

    def _find(
        self, number: int, spectrum: NDArray[np.complex128], energy: Samples, size: int
    ) -> _Found:
        """Where the clip is most likely, and how much of it is there, 0 to 1."""
        words, clip = self._known[number]
        count = len(energy) - len(clip)
        products = np.fft.irfft(spectrum * self._spectra(number, size), size)[:count]
        whole = max(1.0, float((clip**2).sum()))
        below = energy[len(clip) :] - energy[:count]
        alike = products / np.sqrt(np.maximum(below, FAINTEST * whole) * whole)
        best = int(np.argmax(alike))
        return _Found(float(alike[best]), best, best + len(clip), words)


def _samples(pcm: bytes, rate_hz: int) -> Samples:
    if rate_hz != RATE_HZ:
        pcm, _ = audioop.ratecv(pcm, 2, 1, rate_hz, RATE_HZ, None)
    return np.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(np.float64)
