"""Levels of what is played to a caller and of what is heard of him, 50 values a second each.

The hot half of `bridge.session.echo`. `make_levels` gives the compiled one where it is there; both
do the same, but for the rounding of a correlation. Times are monotonic seconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bridge.audio import core
from bridge.audio.pcm import audioop

BIN_S = 0.02
BINS_PER_S = 50
BINS = 128
"""2.56 s are kept."""
MAX_DELAY = 30
"""Longest delay looked for, in bins: 600 ms."""
COUNT = BINS - MAX_DELAY - 2
"""Bins that are compared."""
FEWEST = 30
"""Bins of sound that must have been played before anything is said of an echo."""
AUDIBLE_RMS = 60.0
"""-55 dBFS: below this a bin of what is played is a pause."""
HEARD_RMS = 100.0
"""-50 dBFS: an echo below this wakes nobody."""
OVER_ECHO = 2.0
"""A voice is louder than the echo it is mixed with: 6 dB."""
LEAST_SPREAD = 1e-9
"""Of levels around their mean, to what they are: below it they are the same, and it is rounding."""
_RESYNC = 3
"""Bins that the caller's stream may run before or behind the clock."""
_LOUDEST = 0xFFFF


class EchoLevels(Protocol):
    """One call's."""

    def played(self, data: bytes, rate_hz: int, at: float, /) -> None:
        """L16 whose first sample is heard at `at`."""

    def heard(self, rms: float, now: float, /) -> bool:
        """The level of a piece of the caller's line; whether it is nothing but our echo."""

    def expected(self) -> float:
        """How loud the echo is in the piece heard last; 0: there is none."""

    def expect(self, gain: float, delay: int, /) -> None:
        """How loud the echo is, of what was played so many bins before; 0: there is none."""

    def alike(self) -> Sequence[float]:
        """Correlation of what was heard with what was played 0, 1, 2… bins before, 0 where either
        is constant; empty where too little was played."""

    def both(self, delay: int, /) -> tuple[Sequence[float], Sequence[float]]:
        """What was played so many bins before, and what was heard."""

    def lately(self, count: int, /) -> tuple[Sequence[float], Sequence[float]]:
        """So many levels that were heard, and those of the echo then."""


def make_levels() -> EchoLevels:
    """The compiled ones where they are there."""
    if core.module is not None:
        compiled: EchoLevels = core.module.EchoLevels()
        return compiled
    return PythonLevels()


class _Levels:
    """The last `BINS` levels, by absolute number; what nobody wrote is silence.

    Each is written twice, `BINS` apart: any stretch of them lies in one piece.
    """

    def __init__(self) -> None:
        self.last = -1
        self._values = array("H", bytes(2 * BINS * 2))
        self._view: NDArray[np.uint16] = np.frombuffer(self._values, np.uint16)

    def put(self, number: int, level: int) -> None:
        values, place = self._values, number % BINS
        if number == self.last + 1:  # the hot path
            values[place] = values[place + BINS] = level
            self.last = number
        elif number > self.last:
            for skipped in range(max(self.last + 1, number - BINS + 1), number):
                values[skipped % BINS] = values[skipped % BINS + BINS] = 0
            values[place] = values[place + BINS] = level
            self.last = number
        elif number > self.last - BINS:
            values[place] = values[place + BINS] = max(values[place], level)

    def at(self, number: int) -> int:
        return self._values[number % BINS] if self.last - BINS < number <= self.last else 0

    def until(self, number: int, count: int) -> NDArray[np.float64]:
        """The `count` levels that end with this one."""
        levels: NDArray[np.float64] = np.zeros(count)
        first = number - count + 1
        begin, end = max(first, self.last - BINS + 1), min(number, self.last) + 1
        if begin < end:
            place = begin % BINS
            levels[begin - first : end - first] = self._view[place : place + end - begin]
        return levels


class PythonLevels:
    """The twin in Python."""

    def __init__(self) -> None:
        self._played = _Levels()
        self._heard = _Levels()
        self._gain = 0.0
        self._delay = 0

    def played(self, data: bytes, rate_hz: int, at: float, /) -> None:
        """See `EchoLevels`."""
        size = rate_hz // BINS_PER_S * 2
        number = round(at * BINS_PER_S)
        if len(data) == size:  # the hot path
            self._played.put(number, audioop.rms(data, 2))
            return
        for begin in range(0, len(data), size):
            self._played.put(number, audioop.rms(data[begin : begin + size], 2))
            number += 1

    def heard(self, rms: float, now: float, /) -> bool:
        """See `EchoLevels`."""
        number = self._heard.last + 1
        by_clock = int(now / BIN_S)
        if abs(by_clock - number) > _RESYNC:
            number = by_clock
        self._heard.put(number, int(min(rms, _LOUDEST)))
        if not self._gain:
            return False
        expected = self._expected(number)
        return expected >= HEARD_RMS and rms < OVER_ECHO * expected

    def expected(self) -> float:
        """See `EchoLevels`."""
        return self._expected(self._heard.last) if self._gain else 0.0

    def expect(self, gain: float, delay: int, /) -> None:
        """See `EchoLevels`."""
        self._gain, self._delay = gain, delay

    def alike(self) -> Sequence[float]:
        """See `EchoLevels`."""
        last = self._heard.last
        played = self._played.until(last, COUNT + MAX_DELAY)
        if np.count_nonzero(played >= AUDIBLE_RMS) < FEWEST:
            return ()
        alike: list[float] = _correlation(played, self._heard.until(last, COUNT)).tolist()
        return alike

    def both(self, delay: int, /) -> tuple[Sequence[float], Sequence[float]]:
        """See `EchoLevels`."""
        last = self._heard.last
        played: list[float] = self._played.until(last - delay, COUNT).tolist()
        heard: list[float] = self._heard.until(last, COUNT).tolist()
        return played, heard

    def lately(self, count: int, /) -> tuple[Sequence[float], Sequence[float]]:
        """See `EchoLevels`."""
        numbers = range(self._heard.last - count + 1, self._heard.last + 1)
        return [self._heard.at(n) for n in numbers], [self._expected(n) for n in numbers]

    def _expected(self, number: int) -> float:
        at, played = number - self._delay, self._played
        return self._gain * max(played.at(at - 1), played.at(at), played.at(at + 1))


def _correlation(played: NDArray[np.float64], heard: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of `heard` with what was played 0, 1, 2… bins before; 0 where either is constant."""
    count = len(heard)
    other = heard - heard.mean()
    totals, squares = _sums(played, count), _sums(played * played, count)
    spread = squares - totals * totals / count
    scale = np.sqrt(np.maximum(spread, 0.0) * (other @ other))
    alike: NDArray[np.float64] = np.zeros(len(spread))
    varies = (spread > LEAST_SPREAD * squares) & (scale > 0)
    np.divide(np.correlate(played, other), scale, out=alike, where=varies)
    return alike[::-1]


def _sums(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Of each `count` in a row."""
    running = np.concatenate((_ZERO, np.cumsum(values)))
    return running[count:] - running[:-count]


_ZERO: NDArray[np.float64] = np.zeros(1)
