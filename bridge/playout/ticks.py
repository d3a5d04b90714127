"""When FreeSWITCH's timer ticks for a call, told from the datagrams that it sends. Pure.

All timers of one packet time tick together (switch_time.c, TIMER_MATRIX). With the tick the call's
thread reads a packet, hands it on to us and works on SIP messages, for 0.4 to 1.5 ms each; a
datagram of ours that is taken from the socket meanwhile is thrown away (switch_core_media.c,
switch_core_session_write_frame: `switch_mutex_trylock`). Of 25 re-INVITEs with packets of 10 ms 23
cost one where they came with the tick, and none where they came 0.3 to 9 ms behind it.
"""

from __future__ import annotations

import math

ENOUGH = 7
"""Datagrams to tell it from: the hub reads a few of them late."""


class Ticks:
    """Of one line."""

    def __init__(self) -> None:
        self._came: list[float] = []

    @property
    def sure(self) -> bool:
        """Enough have come."""
        return len(self._came) >= ENOUGH

    def note(self, at: float) -> None:
        """A datagram came: monotonic seconds."""
        self._came.append(at)

    def shift_s(self, at: float, period_s: float, least_s: float, most_s: float) -> float:
        """How much later than `at`, or sooner if below 0, lies `least_s` to `most_s` behind a tick;
        0 where it does so already, or nothing has come."""
        if not self._came:
            return 0.0
        behind = (at - self._middle(period_s)) % period_s
        if least_s <= behind <= most_s:
            return 0.0
        later, sooner = (least_s - behind) % period_s, (behind - most_s) % period_s
        return later if later <= sooner else -sooner

    def _middle(self, period_s: float) -> float:
        """The datagram that is nearest to all others, whole periods left out."""

        def away(one: float) -> float:
            return sum(abs(math.remainder(other - one, period_s)) for other in self._came)

        return min(self._came, key=away)
