"""When to try again. Pure."""

from __future__ import annotations

FIRST_S = 5.0
LONGEST_S = 3600.0
MOST_ASKED_S = 6 * 3600.0
"""Of what the other side may ask for."""


def delay_s(
    attempt: int, chance: float, asked_s: float | None = None, *, first_s: float = FIRST_S
) -> float:
    """Return the wait after attempt 1, 2 …: doubled each time, of which a random part is taken off
    so that what failed together does not come back together.

    Args:
        chance: from 0 to 1, evenly.
        asked_s: what the other side asked for: never sooner than that.
    """
    full_s = min(LONGEST_S, first_s * 2.0 ** min(attempt - 1, 20))
    own_s = full_s * (0.5 + chance / 2)
    return own_s if asked_s is None else max(own_s, min(asked_s, MOST_ASKED_S))
