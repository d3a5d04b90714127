"""Finds what was heard again in what should have been heard. Pure.

Voices repeat themselves every few milliseconds, so a short piece fits in many places. The path of
least cost through all of them is taken: bad fits cost, and so does every change of distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from esl_controller.simulator.hearing import AUDIBLE

Samples = NDArray[np.float64]

WINDOW_S = 0.06
_HOPS = 6
_REACH_S = 0.6
_ALIKE = 0.8
_NEAR = 3
_MISS_COST = 0.25
_SKIP_COST = 0.5
_CHANGE_COST = 1.5
_CANDIDATES = 12


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch heard at one distance: windows from `first` to `last` (places in what was heard)
    stand `shift` samples further on in the reference."""

    first: int
    last: int
    shift: int


@dataclass(frozen=True, slots=True)
class _Link:
    """A run's begin, and the run before it."""

    before: _Link | None
    first: int
    shift: int


_State = tuple[float, _Link]


def samples(pcm: bytes) -> Samples:
    """16-bit PCM as numbers."""
    return np.frombuffer(pcm, dtype="<i2").astype(np.float64)


def rms(part: Samples) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(part**2))) if len(part) else 0.0


def align(heard: Samples, wanted: Samples, rate_hz: int) -> list[Run]:
    """The stretches of `heard` that stand in `wanted`, in order; empty if nothing fits."""
    window = round(WINDOW_S * rate_hz)
    reach = round(_REACH_S * rate_hz)
    # Silence around the reference, so that its first and last sound fit with theirs.
    edge = np.zeros(window)
    wanted = np.concatenate((edge, wanted, edge))
    states: dict[int, _State] = {}
    places: list[int] = []
    for at in range(0, len(heard) - window + 1, window // _HOPS):
        part = heard[at : at + window]
        if rms(part) < AUDIBLE:
            continue
        found = _candidates(part, wanted, at, _best(states), reach)
        if found or states:
            states = _advance(states, at, found, len(places) * _SKIP_COST)
            places.append(at)
    best = _best(states)
    return [] if best is None else _unroll(best, places, window)


def _best(states: dict[int, _State]) -> _Link | None:
    return min(states.values(), key=lambda state: state[0])[1] if states else None


def _advance(
    states: dict[int, _State], at: int, found: dict[int, float], skipping: float
) -> dict[int, _State]:
    """One window further: every distance pays for its fit, a new one for the change.

    `skipping` is the price of beginning only here, with nothing found before.
    """
    following: dict[int, _State] = {}
    before = _best(states)
    base = min((cost for cost, _ in states.values()), default=0.0) + _CHANGE_COST
    if skipping <= base:
        before, base = None, skipping
    for shift, (cost, link) in states.items():
        fits = [score for other, score in found.items() if abs(other - shift) <= _NEAR]
        following[shift] = (cost + (1 - max(fits) if fits else _MISS_COST), link)
    for shift, score in found.items():
        if all(abs(shift - known) > _NEAR for known in states):
            following[shift] = (base + 1 - score, _Link(before, at, shift))
    limit = min(cost for cost, _ in following.values()) + _CHANGE_COST
    return {shift: state for shift, state in following.items() if state[0] <= limit}


def _candidates(
    part: Samples, wanted: Samples, at: int, best: _Link | None, reach: int
) -> dict[int, float]:
    """Distances at which `part` fits, with how well (up to 1)."""
    size = len(part)
    low = 0 if best is None else max(0, at + best.shift - reach)
    high = len(wanted) if best is None else at + best.shift + reach + size
    region = wanted[low:high]
    if len(region) < size:
        return {}
    squares = np.concatenate(([0.0], np.cumsum(region**2)))
    energy = np.maximum(squares[size:] - squares[:-size], 1.0)
    scores = np.correlate(region, part, "valid") / np.sqrt(energy * float(np.sum(part**2)))
    found: dict[int, float] = {}
    for _ in range(_CANDIDATES):
        place = int(np.argmax(scores))
        score = float(scores[place])
        if score < _ALIKE:
            break
        found[low + place - at] = min(score, 1.0)
        scores[max(0, place - _NEAR) : place + _NEAR + 1] = 0.0
    return found


def _unroll(link: _Link, places: list[int], edge: int) -> list[Run]:
    """The links as runs, oldest first; each ends at the window before the next one begins."""
    runs: list[Run] = []
    end = places[-1] + 1
    node: _Link | None = link
    while node is not None:
        last = max(place for place in places if node.first <= place < end)
        runs.append(Run(node.first, last, node.shift - edge))
        end, node = node.first, node.before
    return runs[::-1]
