"""Whether a piece of audio is a voice: it has a pitch, and the pitch lasts.

A cough, a door or the hiss of a line may be as loud as a word and as long, but nothing in it
repeats itself 70 to 400 times a second for 60 ms. The autocorrelation of the band a telephone
carries well tells that also where the voice is only 5 dB above the noise.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bridge.audio.formats import FRAME_MS

HOP_MS = FRAME_MS
"""A piece is looked at together with what was before it, `WINDOW_MS` in all."""
WINDOW_MS = 32
LOWEST_HZ, HIGHEST_HZ = 70, 400
"""Pitch of a voice."""
_BAND_HZ = (200, 2200)
_LIKE = 0.5
"""Of the autocorrelation at the pitch: noise alone reaches it once in a hundred pieces."""
_STEADY = 0.15
"""A pitch moves by no more from one piece to the next; that of noise jumps."""
_INNER_HZ = 8000
"""The rate the autocorrelation is computed at: there is no pitch above it to be found."""
_SIZE = 2 * WINDOW_MS * _INNER_HZ // 1000
_AS_GOOD = 1 - 1e-9
"""Two lags that differ by rounding alone: the shorter one is the pitch."""
_FIRST_LAG, _LAST_LAG = _INNER_HZ // HIGHEST_HZ, _INNER_HZ // LOWEST_HZ + 1


class _Shape(NamedTuple):
    """What the autocorrelation needs at one rate: the same for all callers."""

    window: NDArray[np.float64]
    band: NDArray[np.float64]
    fade: NDArray[np.float64]


@cache
def _shape(rate_hz: int) -> _Shape:
    count = rate_hz * WINDOW_MS // 1000
    window = np.hanning(count)
    bins = np.arange(_SIZE // 2 + 1) * _INNER_HZ / _SIZE
    band = ((bins >= _BAND_HZ[0]) & (bins <= _BAND_HZ[1])).astype(np.float64)
    of_window = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * count)[: len(bins)]) ** 2)
    return _Shape(window, band, (of_window / of_window[0])[_FIRST_LAG:_LAST_LAG].copy())


class Voicing:
    """One caller's. `rate_hz`: of the L16 it is given, 8000 or more."""

    def __init__(self, rate_hz: int) -> None:
        self._window, self._band, self._fade = _shape(rate_hz)
        self._bytes = 2 * len(self._window)
        self._before = self._hop = bytes(rate_hz * HOP_MS // 1000 * 2)
        """The last two pieces."""
        self._lag: int | None = 0
        """Of the pitch heard last; 0: there was none, None: nobody has looked."""

    def skip(self, hop: bytes, /) -> None:
        """A piece that is too quiet to be worth a look."""
        self._before, self._hop, self._lag = self._hop, hop, 0

    def pass_over(self, hop: bytes, /) -> None:
        """A piece of which nobody asks; the next may still go on with its pitch."""
        self._before, self._hop, self._lag = self._hop, hop, None

    def look(self, hop: bytes, /) -> bool:
        """A piece of `HOP_MS`; return whether the pitch of the piece before it goes on. 25 µs."""
        before = self._pitch() if self._lag is None else self._lag
        self._before, self._hop = self._hop, hop
        lag = self._lag = self._pitch()
        return bool(before and lag and abs(lag - before) <= _STEADY * before)

    def _pitch(self) -> int:
        """The period of what was heard last in samples of `_INNER_HZ`; 0: there is none."""
        samples: NDArray[np.int16] = np.frombuffer(
            (self._before + self._hop)[-self._bytes :], "<i2"
        )
        spectrum = np.fft.rfft(samples * self._window, 2 * len(samples))[: len(self._band)]
        alike = np.fft.irfft((spectrum.real**2 + spectrum.imag**2) * self._band)
        if alike[0] <= 0:
            return 0
        found = alike[_FIRST_LAG:_LAST_LAG] / (alike[0] * self._fade)
        best = int((found >= found.max() * _AS_GOOD).argmax())
        if not 0 < best < len(found) - 1 or found[best] < _LIKE:  # an edge is the slope of another
            return 0
        return _FIRST_LAG + best
