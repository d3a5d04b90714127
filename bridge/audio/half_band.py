"""Doubling and halving of a sample rate by a half-band FIR: 3 ms at 8 kHz where soxr takes 13.

Every second tap of a half-band filter is zero and the middle one a half, so one of two samples
passes unchanged and the other costs 48 products. Kaiser window, 80 dB: flat to 0.89 of the lower
rate's band; what lies between there and its mirror image beyond the edge folds, as in every
half-band filter. Arithmetic is in doubles on fixed-length dot products, so the result does not
depend on where the signal was cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_REACH = 24
"""Taps on each side; also the delay in samples of the lower rate."""
_KAISER_BETA = 7.86

Samples = NDArray[np.float64]


def _odd_taps() -> Samples:
    """The taps that are not zero, the middle one left out; they add up to one."""
    position = np.arange(-_REACH, _REACH) + 0.5
    window = np.kaiser(4 * _REACH + 1, _KAISER_BETA)[1::2]
    taps = np.sinc(position) * window
    return np.asarray(taps / taps.sum(), np.float64)


_TAPS = _odd_taps()


def _from_l16(data: bytes) -> Samples:
    return np.frombuffer(data, np.int16).astype(np.float64)


def _to_l16(samples: Samples) -> bytes:
    np.rint(samples, out=samples)
    np.minimum(samples, 32767.0, out=samples)
    np.maximum(samples, -32768.0, out=samples)
    return bytes(samples.astype(np.int16).tobytes())


class Doubler:
    """L16 at any rate in, at twice that rate out."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Drop the rest of the output and begin a new signal."""
        # _REACH - 1 silent samples lie before the signal: the first output then needs _REACH
        # samples after the one it stands for.
        self._kept: Samples = np.zeros(_REACH - 1)

    def process(self, data: bytes) -> bytes:
        """Convert whole samples; return the output that is ready."""
        signal = np.concatenate((self._kept, _from_l16(data)))
        ready = len(signal) - 2 * _REACH + 1
        if ready <= 0:
            self._kept = signal
            return b""
        self._kept = signal[ready:]
        output = np.empty(2 * ready)
        output[0::2] = signal[_REACH - 1 : _REACH - 1 + ready]
        output[1::2] = np.correlate(signal, _TAPS)
        return _to_l16(output)

    def flush(self) -> bytes:
        """Return the rest of the output and begin a new signal."""
        tail = self.process(bytes(2 * _REACH))
        self.clear()
        return tail


class Halver:
    """L16 at any rate in, at half that rate out."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Drop the rest of the output and begin a new signal."""
        # Output n stands for input 2n and uses the odd inputs around it, _REACH on either side.
        self._kept: Samples = np.zeros(2 * _REACH)

    def process(self, data: bytes) -> bytes:
        """Convert whole samples; return the output that is ready."""
        signal = np.concatenate((self._kept, _from_l16(data)))
        ready = len(signal) // 2 - 2 * _REACH + 1
        if ready <= 0:
            self._kept = signal
            return b""
        self._kept = signal[2 * ready :]
        odd = np.ascontiguousarray(signal[1 : 2 * (ready + 2 * _REACH - 1) : 2])
        even = signal[2 * _REACH : 2 * (_REACH + ready) : 2]
        output = np.correlate(odd, _TAPS)
        output += even
        output *= 0.5
        return _to_l16(output)

    def flush(self) -> bytes:
        """Return the rest of the output and begin a new signal; half an output is rounded up."""
        pending = len(self._kept) - 2 * _REACH
        tail = self.process(bytes(4 * _REACH + 2))
        self.clear()
        return tail[: 2 * ((pending + 1) // 2)] if pending > 0 else b""
