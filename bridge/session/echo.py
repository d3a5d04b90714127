"""Our own voice coming back from the line: how late, how loud, and that it is nobody's words.

What is played and what is heard are compared by their levels (`bridge.session.echo_levels`): cheap
enough to do for every call, and good to a few milliseconds and decibels. Times are monotonic
seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bridge.session.echo_levels import AUDIBLE_RMS, BIN_S, HEARD_RMS, OVER_ECHO, make_levels

QUICK_S = 1.0
"""An echo interrupts an answer within this time of its first sound."""
MAX_QUICK = 3
"""Interruptions in a row that may be a caller's."""
SURE = 0.75
"""Correlation of an echo. Two voices that talk at the same time reach 0.5 now and then."""
MEASURE_EVERY_S = 0.5
SEEK_TIMES = 12
"""So often; then the line is known, with an echo or without."""
CHECK_EVERY_S = 2.0


class EchoFound(NamedTuple):
    """What comes back."""

    delay_ms: int
    """From sending a sound to hearing it again; ways and buffers in between included."""
    level_db: float
    """Of what was sent."""


class EchoMeter:
    """One call's. Of its levels, `played` and `heard` are the hot path."""

    def __init__(self) -> None:
        self.found: EchoFound | None = None
        """The latest that was certain."""
        self.levels = make_levels()
        self._gain = 0.0
        self._delay = 0
        self._likely = -2
        """Where it seemed to be last, in bins."""
        self._measured_at = -math.inf
        self._measured = 0

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
        pairs = zip(*self.levels.lately(25), strict=True)
        loud = [(rms, expected) for rms, expected in pairs if rms >= HEARD_RMS]
        return len(loud) >= 3 and all(rms < OVER_ECHO * expected for rms, expected in loud)

    def _measure(self) -> None:
        alike = self.levels.alike()
        if not alike:
            return
        self._measured += 1
        top = max(alike)
        best = alike.index(top)
        if top >= SURE:
            if abs(best - self._likely) <= 1:  # once may be chance
                self._take(best, alike)
            self._likely = best
        elif self._gain and self._is_gone():
            self._expect(0.0, self._delay)

    def _is_gone(self) -> bool:
        """The far end has learned to cancel it, or is another one."""
        played, heard = map(np.array, self.levels.both(self._delay))
        loud = played >= AUDIBLE_RMS
        expected = self._gain * np.median(played[loud])
        return bool(np.median(heard[loud]) < expected / 4)

    def _take(self, best: int, alike: Sequence[float]) -> None:
        played, heard = map(np.array, self.levels.both(best))
        loud = played >= np.median(played[played >= AUDIBLE_RMS])
        noise = np.percentile(heard, 10)
        power = np.maximum(0.0, heard[loud] ** 2 - noise**2) / played[loud] ** 2
        gain = float(np.sqrt(np.median(power)))
        if gain <= 0:
            return
        self._expect(gain, best)
        delay_ms = (best + _peak(alike, best)) * BIN_S * 1000
        self.found = EchoFound(round(delay_ms), round(20 * math.log10(gain), 1))

    def _expect(self, gain: float, delay: int) -> None:
        self._gain, self._delay = gain, delay
        self.levels.expect(gain, delay)


def _peak(alike: Sequence[float], best: int) -> float:
    """Where between the bins the top lies, by the parabola through three of them."""
    if not 0 < best < len(alike) - 1:
        return 0.0
    before, top, after = alike[best - 1 : best + 2]
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
