"""Our own voice coming back from the line: how late, how loud, and that it is nobody's words.

What is played and what is heard are compared by their levels, 50 values a second each: cheap
enough to do for every call, and good to a few milliseconds and decibels. Times are monotonic
seconds.
"""

from __future__ import annotations

import math
from array import array
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bridge.audio.pcm import audioop

QUICK_S = 1.0
"""An echo interrupts an answer within this time of its first sound."""
MAX_QUICK = 3
"""Interruptions in a row that may be a caller's."""
BIN_S = 0.02
BINS_PER_S = 50
BINS = 128
"""2.56 s are compared."""
MAX_DELAY = 30
"""Longest delay looked for, in bins: 600 ms."""
FEWEST = 30
"""Bins of sound that must have been played before anything is said of an echo."""
AUDIBLE_RMS = 60.0
"""-55 dBFS: below this a bin of what is played is a pause."""
HEARD_RMS = 100.0
"""-50 dBFS: an echo below this wakes nobody."""
SURE = 0.75
"""Correlation of an echo. Two voices that talk at the same time reach 0.5 now and then."""
OVER_ECHO = 2.0
"""A voice is louder than the echo it is mixed with: 6 dB."""
MEASURE_EVERY_S = 0.5
SEEK_TIMES = 12
"""So often; then the line is known, with an echo or without."""
CHECK_EVERY_S = 2.0
LEAST_SPREAD = 1e-9
"""Of levels around their mean, to what they are: below it they are the same, and it is rounding."""
_RESYNC = 3
"""Bins that the caller's stream may run before or behind the clock."""


class EchoFound(NamedTuple):
    """What comes back."""

    delay_ms: int
    """From sending a sound to hearing it again; ways and buffers in between included."""
    level_db: float
    """Of what was sent."""


class _Levels:
    """The last `BINS` levels, by absolute number; what nobody wrote is silence."""

    def __init__(self) -> None:
        self.last = -1
        self._values = array("f", bytes(BINS * 4))

    def put(self, number: int, level: float) -> None:
        values, place = self._values, number % BINS
        if number == self.last + 1:  # the hot path
            values[place] = level
            self.last = number
        elif number > self.last:
            for skipped in range(max(self.last + 1, number - BINS + 1), number):
                values[skipped % BINS] = 0.0
            values[place] = level
            self.last = number
        elif number > self.last - BINS:
            values[place] = max(values[place], level)

    def at(self, number: int) -> float:
        return self._values[number % BINS] if self.last - BINS < number <= self.last else 0.0

    def until(self, number: int, count: int) -> NDArray[np.float64]:
        """The `count` levels that end with this one."""
        levels: NDArray[np.float64] = np.zeros(count)
        first = number - count + 1
        begin, end = max(first, self.last - BINS + 1), min(number, self.last) + 1
        if begin < end:
            values = np.frombuffer(self._values, np.float32)
            levels[begin - first : end - first] = np.roll(values, -begin)[: end - begin]
        return levels


class EchoMeter:
    """One call's. `played` and `heard` are the hot path: a few microseconds."""

    def __init__(self) -> None:
        self.found: EchoFound | None = None
        """The latest that was certain."""
        self._gain = 0.0
        self._delay = 0
        self._likely = -2
        """Where it seemed to be last, in bins."""
        self._played = _Levels()
        self._heard = _Levels()
        self._measured_at = -math.inf
        self._measured = 0

    def played(self, data: bytes, rate_hz: int, at: float) -> None:
        """L16 whose first sample is heard at `at`."""
        size = rate_hz // BINS_PER_S * 2
        number = round(at * BINS_PER_S)
        if len(data) == size:  # the hot path
            self._played.put(number, audioop.rms(data, 2))
            return
        for begin in range(0, len(data), size):
            self._played.put(number, audioop.rms(data[begin : begin + size], 2))
            number += 1

    def heard(self, rms: float, now: float) -> bool:
        """One piece of the caller's line; return whether it is nothing but our echo."""
        number = self._heard.last + 1
        by_clock = int(now / BIN_S)
        if abs(by_clock - number) > _RESYNC:
            number = by_clock
        self._heard.put(number, rms)
        if not self._gain:
            return False
        expected = self._expected(number)
        return expected >= HEARD_RMS and rms < OVER_ECHO * expected

    def expected_rms(self) -> float:
        """How loud the echo is in the piece heard last; 0: there is none."""
        return self._expected(self._heard.last) if self._gain else 0.0

    def look(self, now: float) -> None:
        """To be called a few times a second; half a millisecond at most."""
        every_s = MEASURE_EVERY_S if self._measured < SEEK_TIMES else CHECK_EVERY_S
        if now - self._measured_at >= every_s:
            self._measured_at = now
            self._measure()

    def explains_all(self, now: float) -> bool:
        """All the sound of the last half second was our echo, and there was some."""
        if not self._gain and now - self._measured_at >= 10 * BIN_S:
            self._measured_at = now
            self._measure()
        if not self._gain:
            return False
        last = self._heard.last
        pairs = [(self._heard.at(n), self._expected(n)) for n in range(last - 24, last + 1)]
        loud = [(rms, expected) for rms, expected in pairs if rms >= HEARD_RMS]
        return len(loud) >= 3 and all(rms < OVER_ECHO * expected for rms, expected in loud)

    def _expected(self, number: int) -> float:
        at, played = number - self._delay, self._played
        return self._gain * max(played.at(at - 1), played.at(at), played.at(at + 1))

    def _measure(self) -> None:
        count = BINS - MAX_DELAY - 2
        last = self._heard.last
        played = self._played.until(last, count + MAX_DELAY)
        if np.count_nonzero(played >= AUDIBLE_RMS) < FEWEST:
            return
        self._measured += 1
        heard = self._heard.until(last, count)
        alike = _correlation(played, heard)
        best = int(np.argmax(alike))
        if alike[best] >= SURE:
            if abs(best - self._likely) <= 1:  # once may be chance
                self._take(_before(played, best, count), heard, best, alike)
            self._likely = best
        elif self._gain and self._is_gone(_before(played, self._delay, count), heard):
            self._gain = 0.0

    def _is_gone(self, played: NDArray[np.float64], heard: NDArray[np.float64]) -> bool:
        """The far end has learned to cancel it, or is another one."""
        loud = played >= AUDIBLE_RMS
        expected = self._gain * np.median(played[loud])
        return bool(np.median(heard[loud]) < expected / 4)

    def _take(
        self,
        played: NDArray[np.float64],
        heard: NDArray[np.float64],
        best: int,
        alike: NDArray[np.float64],
    ) -> None:
        loud = played >= np.median(played[played >= AUDIBLE_RMS])
        noise = np.percentile(heard, 10)
        power = np.maximum(0.0, heard[loud] ** 2 - noise**2) / played[loud] ** 2
        gain = float(np.sqrt(np.median(power)))
        if gain <= 0:
            return
        self._gain, self._delay = gain, best
        delay_ms = (best + _peak(alike, best)) * BIN_S * 1000
        self.found = EchoFound(round(delay_ms), round(20 * math.log10(gain), 1))


def _before(played: NDArray[np.float64], bins: int, count: int) -> NDArray[np.float64]:
    """What was played so many bins before."""
    end = len(played) - bins
    return played[end - count : end]


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


def _peak(alike: NDArray[np.float64], best: int) -> float:
    """Where between the bins the top lies, by the parabola through three of them."""
    if not 0 < best < len(alike) - 1:
        return 0.0
    before, top, after = (float(one) for one in alike[best - 1 : best + 2])
    curve = before - 2 * top + after
    return 0.0 if not curve else max(-0.5, min(0.5, (before - after) / (2 * curve)))


class EchoGuard:
    """Breaks the loop of an agent that is interrupted by its own voice: counts interruptions that
    look like an echo."""

    def __init__(self) -> None:
        self.suspected = False
        """The next answer is to be heard to its end, whatever comes back from the line."""
        self._began_at: float | None = None
        self._quick = 0

    def answer_began(self, now: float) -> None:
        """Its first sound left for the caller."""
        self._began_at = now

    def answer_over(self) -> None:
        """It was heard to its end."""
        self._began_at = None
        self._quick = 0
        self.suspected = False

    def interrupted(self, now: float, voice_began_at: float | None) -> None:
        """The agent was cut off. `voice_began_at`: since when our ear hears a voice, if it does.

        A voice that was there before ours cannot be its echo.
        """
        began_at, self._began_at = self._began_at, None
        if began_at is None:
            return
        ours = voice_began_at is not None and voice_began_at >= began_at
        self._quick = self._quick + 1 if ours and now - began_at <= QUICK_S else 0
        self.suspected = self._quick >= MAX_QUICK
