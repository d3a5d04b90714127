"""When Python looks for garbage."""

from __future__ import annotations

import gc

GC_ALLOCATIONS = 2_000
"""New containers between two looks for garbage; Python's own 700 are a few calls' frames."""


def calm_garbage_collector() -> None:
    """What was made until now stays for ever: never look at it again, and look less often.

    A full collection over a warm worker takes tens of milliseconds, in which no call has sound.
    What is left to look at are calls: a call that has ended is some 500 objects that know each
    other, so full collections may not be too rare, or the memory of a thousand calls piles up.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, 10, 2)
