"""Whether `unicast` still lives, told from what comes and goes. Pure.

FreeSWITCH ends it without a word whenever the codec is set anew, a file is played or the channel is
parked once more. While it lives the park loop sends a datagram for each packet of the call, of
silence when the caller sends none (switch_ivr.c, switch_ivr_park).
"""

from __future__ import annotations

import enum
from typing import NamedTuple

LOOK_S = 0.25
"""Time between two looks: the session manager's TICK_S."""
SURE_LOOKS = 2
"""Looks without a datagram, while the module's stream goes on: FreeSWITCH reads the call for both
at once."""
LONG_LOOKS = 3
"""Looks without anything at all: nothing is read, or nothing of it reaches us."""
PATIENT_LOOKS = 8
"""The same where the dialplan would have to take the call."""


class Verdict(enum.Enum):
    """What to do."""

    WELL = "well"
    GIVE_WAY = "give_way"
    """FreeSWITCH reads nothing of the caller while we send: stop for `pause_s`."""
    DEAD = "dead"
    """Play and hear in another way."""


GIVE_WAY_S = 0.1
"""First pause: FreeSWITCH's socket runs empty, and what waits for its lock gets it."""


class Seen(NamedTuple):
    """Counts since the call began."""

    came: int
    """Datagrams of FreeSWITCH, or how many of them were noticed."""
    sent: int
    """Datagrams of ours."""
    refused: int
    """Times FreeSWITCH's host said that the port is closed."""
    heard: int | None = None
    """Messages of the module's stream; None where there is none."""


class LineWatch:
    """One use of `unicast`, looked at each `LOOK_S`."""

    def __init__(self, *, patient: bool = False) -> None:
        """`patient`: there is no other way to play."""
        self._last: Seen | None = None
        self._silent = 0
        self._long_looks = PATIENT_LOOKS if patient else LONG_LOOKS
        self._looked_at = 0.0
        self.alive_at = 0.0
        """It lived then for sure, and perhaps for a look longer: monotonic seconds."""

    @property
    def pause_s(self) -> float:
        """How long to give way; as long as nothing is read, from the second time on. A telephone
        that turns out to send packets of 10 ms has each of our 20 ms played for 40 (observed): what
        we send only makes the queue longer in front of the change that would end it.
        """
        return GIVE_WAY_S if self._silent <= 1 else LOOK_S

    def look(self, seen: Seen, now: float) -> Verdict:
        """Compare with the look before."""
        last, self._last = self._last, seen
        before, self._looked_at = self._looked_at, now
        if last is None or seen.came > last.came:
            self.alive_at = before or now
        if last is None:
            return Verdict.WELL
        if seen.refused > last.refused:
            return Verdict.DEAD
        if seen.came > last.came:
            self._silent = 0
            return Verdict.WELL
        self._silent += 1
        stream_goes_on = seen.heard is not None and seen.heard != last.heard
        if self._silent >= (SURE_LOOKS if stream_goes_on else self._long_looks):
            return Verdict.DEAD
        if not stream_goes_on and seen.sent > last.sent:
            return Verdict.GIVE_WAY
        return Verdict.WELL
