"""When Python looks for garbage: for what is young often, for all of it when nobody would hear."""

from __future__ import annotations

import gc
from collections.abc import Callable

import gevent

GC_ALLOCATIONS = 500
"""New containers between two looks for garbage. A look takes some half a microsecond for each, so
few at a time: as many of them are looked at in the end, and nobody's frame waits."""
GC_YOUNG = 1
"""So many looks at the youngest, then one at what these left too."""
GC_FULL = 250_000
"""So many of those before a full one in the middle of calls: one is due after each call or two, so
that is hours apart on a busy worker. It takes 20 ms and more, in which no call has sound, and finds
next to nothing: a call that has ended leaves no cycles."""
LOOK_S = 30.0


def calm_garbage_collector() -> None:
    """What was made until now stays for ever: never look at it again, and look less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, GC_YOUNG, GC_FULL)


class GarbageWatch:
    """Collects everything while no call is going on. `calls` tells how many are."""

    def __init__(self, calls: Callable[[], int]) -> None:
        self._calls = calls

    def run(self) -> None:
        """Look now and then, for ever."""
        while True:
            gevent.sleep(LOOK_S)
            self.look()

    def look(self) -> bool:
        """Collect if nobody hears it, and there may be something; return whether that was done."""
        _, _, since_full = gc.get_count()
        if self._calls() or not since_full:
            return False
        gc.collect()
        return True
