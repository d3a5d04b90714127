"""How often, and how long, a caller's media that was lost is asked for again.

What stands between FreeSWITCH and the worker may be restarting (nginx: one to three seconds), and
refuses everybody meanwhile.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from esl_controller.calls.media_site import MediaUnavailable

BEARS_S = 6.0
"""So long a caller is kept, as when no provider comes back; then the dialplan has the call."""
PAUSES_S = (0.2, 0.4)
LONGEST_PAUSE_S = 0.7
LATE_S = 1.0
"""A pause no caller takes for the line's end: after it he is told, where he can be."""
MAX_RESTARTS = 3
RESTARTS_WITHIN_S = 60.0
"""More restarts than that in this time will not help."""


class Restarts:
    """Of one call's media."""

    def __init__(self) -> None:
        self._at: list[float] = []

    def count(self, now: float) -> None:
        """One more, at this monotonic second. Raises MediaUnavailable: there were too many."""
        if len(self._at) == MAX_RESTARTS and now - self._at[0] < RESTARTS_WITHIN_S:
            raise MediaUnavailable("the caller's media was lost again and again")
        self._at = [*self._at, now][-MAX_RESTARTS:]


def ask_again(
    attempt: Callable[[], None],
    pause: Callable[[float], None],
    tell: Callable[[], None],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Return when an attempt has not failed. `tell` is called once, when it takes long.

    Raises MediaUnavailable: the last attempt's, after BEARS_S.
    """
    began, told = clock(), False
    for pause_s in itertools.chain(PAUSES_S, itertools.repeat(LONGEST_PAUSE_S)):
        try:
            return attempt()
        except MediaUnavailable:
            if clock() + pause_s - began > BEARS_S:
                raise
        if not told and clock() + pause_s - began > LATE_S:
            told = True
            tell()
        pause(pause_s)
