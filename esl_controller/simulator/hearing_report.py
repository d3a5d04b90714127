"""The quality of what a caller heard, in numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from esl_controller.simulator.hearing import AUDIBLE, Gap, Hearing
from esl_controller.simulator.speech import Clip
from esl_controller.simulator.switch.sound import RateConverter

Samples = NDArray[np.float64]

_WINDOW_S = 0.04
_REACH_S = 0.6
_ALIKE = 0.8
_STEP_S = 0.002
_NEAR_SAMPLES = 3
_AS_GOOD = 0.9


@dataclass(frozen=True, slots=True)
class HearingReport:
    """Times in milliseconds; those since the answer are None when nothing was heard."""

    first_sound_ms: float | None
    last_sound_ms: float | None
    sound_ms: float
    """Length of all audible frames."""
    gaps: tuple[Gap, ...]
    level_dbfs: float
    frames: int
    lost_ms: float | None = None
    """Of the reference: never heard. None without a reference."""
    doubled_ms: float | None = None
    """Of the reference: heard twice."""
    inserted_ms: float | None = None
    """Silence put between parts of the reference."""

    @property
    def longest_gap_ms(self) -> float:
        """0 when there was none."""
        return max((gap.length_ms for gap in self.gaps), default=0.0)


def report(hearing: Hearing, answered_at: float, reference: Clip | None) -> HearingReport:
    """Everything that can be said about `hearing`."""
    sounding = [
        at for at, loud in zip(hearing.times, hearing.levels, strict=True) if loud >= AUDIBLE
    ]
    lost_ms = doubled_ms = inserted_ms = None
    if reference is not None:
        lost_ms, doubled_ms, inserted_ms = compare(hearing.pcm(), hearing.rate_hz, reference)
    return HearingReport(
        first_sound_ms=(sounding[0] - answered_at) * 1000 if sounding else None,
        last_sound_ms=(sounding[-1] - answered_at) * 1000 if sounding else None,
        sound_ms=len(sounding) * 20.0,
        gaps=tuple(hearing.gaps()),
        level_dbfs=hearing.level_dbfs(),
        frames=len(hearing.times),
        lost_ms=lost_ms,
        doubled_ms=doubled_ms,
        inserted_ms=inserted_ms,
    )


def compare(heard_pcm: bytes, rate_hz: int, reference: Clip) -> tuple[float, float, float]:
    """Lost, doubled and inserted milliseconds of `reference` in what was heard, in that order.

    Windows of 40 ms are found again in the reference by correlation; a jump ahead means that
    something was lost, a jump back that it came twice, or that silence stood in between.
    """
    wanted = _samples(RateConverter(reference.rate_hz, rate_hz).convert(reference.pcm))
    heard = _samples(heard_pcm)
    window = round(_WINDOW_S * rate_hz)
    offsets = _offsets(heard, wanted, window, round(_REACH_S * rate_hz))
    if not offsets:
        return len(wanted) / rate_hz * 1000, 0.0, 0.0
    step = round(_STEP_S * rate_hz)
    lost = max(0, offsets[0][1])
    doubled = inserted = 0
    for (at, place), (next_at, next_place) in pairwise(offsets):
        jump = (next_place - place) - (next_at - at)
        if jump > step:
            lost += jump
        elif jump < -step:
            silent = _silent_samples(heard[at + window // 2 : next_at])
            inserted += min(silent, -jump)
            doubled += -jump - min(silent, -jump)
    tail = len(wanted) - offsets[-1][1] - window
    loud_tail = _loud_samples(wanted[offsets[-1][1] + window :], window)
    lost += min(max(0, tail), loud_tail) + _head_silence(wanted, offsets[0][1], window, lost)
    return lost / rate_hz * 1000, doubled / rate_hz * 1000, inserted / rate_hz * 1000


def _head_silence(wanted: Samples, first: int, window: int, counted: int) -> int:
    """Takes back what was counted as lost although it was silence before the first sound."""
    quiet = first - _loud_samples(wanted[:first], window)
    return -min(max(0, quiet), counted)


def _samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, dtype="<i2").astype(np.float64)


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0


def _silent_samples(samples: Samples) -> int:
    return int(np.count_nonzero(np.abs(samples) < 16))


def _loud_samples(samples: Samples, window: int) -> int:
    """Length of the audible windows."""
    parts = (samples[at : at + window] for at in range(0, len(samples), window))
    return sum(len(part) for part in parts if _level(part) >= AUDIBLE)


def _offsets(heard: Samples, wanted: Samples, window: int, reach: int) -> list[tuple[int, int]]:
    """(place in heard, place in wanted) of each audible window that was found again."""
    found: list[tuple[int, int]] = []
    expected = 0
    for at in range(0, len(heard) - window + 1, window // 2):
        part = heard[at : at + window]
        if _level(part) < AUDIBLE:
            continue
        if found:
            expected = found[-1][1] + at - found[-1][0]
        place = _find(part, wanted, expected, reach if found else len(wanted))
        if place is not None:
            found.append((at, place))
    return found


def _find(part: Samples, wanted: Samples, expected: int, reach: int) -> int | None:
    """Where `part` stands in `wanted`; the expected place wins when it is as good."""
    size = len(part)
    low = max(0, expected - reach)
    region = wanted[low : expected + reach + size]
    if len(region) < size:
        return None
    scores = np.correlate(region, part, "valid")
    energy = np.convolve(region**2, np.ones(size), "valid")
    scores = scores / np.sqrt(np.maximum(energy, 1.0) * max(float(np.sum(part**2)), 1.0))
    best = int(np.argmax(scores))
    if scores[best] < _ALIKE:
        return None
    near = max(0, expected - low - _NEAR_SAMPLES)
    close = scores[near : expected - low + _NEAR_SAMPLES + 1]
    if len(close) and float(close.max()) >= _AS_GOOD * float(scores[best]):
        best = near + int(np.argmax(close))
    return low + best
