"""From stamps of two processes to delays. All stamps are CLOCK_MONOTONIC seconds."""

from __future__ import annotations

import bisect
import statistics
import time
from collections.abc import Sequence

MATCH_S = 1.0
"""Stamps further apart belong to different things."""
NEIGHBOURS = 10
"""So many places may lie between a call's number and its session's."""
REPLY_S = 4.0
"""An answer that begins later is another one's."""
CUT_S = 0.06
"""Three frames: the last audio before a cut may have left so long ago."""


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Nearest-rank percentile, None without values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]


def median(values: Sequence[float]) -> float | None:
    """Middle value, None without values."""
    return statistics.median(values) if values else None


def delays_ms(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """For each stamp of `before`, milliseconds to the first one of `after` that follows it."""
    ordered, found = sorted(after), []
    for moment in before:
        place = bisect.bisect_left(ordered, moment)
        if place < len(ordered) and ordered[place] - moment < MATCH_S:
            found.append((ordered[place] - moment) * 1000)
    return found


def since_ms(after: Sequence[float], before: Sequence[float]) -> list[float]:
    """For each stamp of `after`, milliseconds since the last one of `before`.

    An answer that the session keeps back and has given anew has two beginnings at the provider, and
    one that is heard.
    """
    ordered, found = sorted(before), []
    for moment in after:
        place = bisect.bisect_right(ordered, moment)
        if place and moment - ordered[place - 1] < MATCH_S:
            found.append((moment - ordered[place - 1]) * 1000)
    return found


def replies_ms(
    words: Sequence[tuple[float, float]], begins: Sequence[float], ends: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Milliseconds from the caller's last word to the answer: where he waited for his turn, and
    where he interrupted. `words`: from when until when he spoke."""
    waited: list[float] = []
    interrupted: list[float] = []
    for began, ended in words:
        place = bisect.bisect_right(begins, ended)
        if place == len(begins) or begins[place] - ended > REPLY_S:
            continue
        before = bisect.bisect_left(begins, began)
        spoken_over = 0 < before <= len(ends) and ends[before - 1] > began
        (interrupted if spoken_over else waited).append((begins[place] - ended) * 1000)
    return waited, interrupted


def sessions_of(
    calls: Sequence[Sequence[float]], sessions: Sequence[Sequence[float]]
) -> list[int | None]:
    """For each call the session that heard it, by when each caller and each session grew loud.

    Calls dialled shortly after one another may reach the provider in another order. A call's
    session is the one, of those nobody fits better, whose stamps follow the caller's most closely.
    """
    fits = sorted(
        (_lag_ms(loud_at, heard_at), call, session)
        for call, loud_at in enumerate(calls)
        for session, heard_at in enumerate(sessions)
        if abs(call - session) <= NEIGHBOURS
    )
    found: dict[int, int] = {}
    for _, call, session in fits:
        if call not in found and session not in found.values():
            found[call] = session
    return [found.get(call) for call in range(len(calls))]


def _lag_ms(before: Sequence[float], after: Sequence[float]) -> float:
    """All delays together; what was not followed counts as the longest delay."""
    found = delays_ms(before, after)
    return sum(found) + (len(before) - len(found)) * MATCH_S * 1000


def reactions_ms(
    cuts: Sequence[float], begins: Sequence[float], ends: Sequence[float]
) -> list[float]:
    """For each cut inside a stretch of audio, milliseconds that the audio went on behind it.

    A stretch counts as cut if it ended at most three frames before the cut was told.
    """
    found = []
    for begin, end in zip(begins, ends, strict=False):
        found += [max(0.0, (end - cut) * 1000) for cut in cuts if begin < cut and end > cut - CUT_S]
    return found


def reference_ms() -> float:
    """CPU milliseconds of a fixed piece of Python work, the best of several.

    CPU figures of two runs compare when this is the same; else take their ratio to it.
    """
    return min(_work_s() for _ in range(7)) * 1000


def _work_s() -> float:
    started = time.process_time()
    total = 0
    for number in range(200_000):
        total += number & 255
    return time.process_time() - started
