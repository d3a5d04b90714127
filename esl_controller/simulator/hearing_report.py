"""The quality of what a caller heard, in numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from esl_controller.simulator.alignment import WINDOW_S, Samples, align, rms, samples
from esl_controller.simulator.hearing import AUDIBLE, Gap, Hearing
from esl_controller.simulator.speech import Clip
from esl_controller.simulator.switch.sound import RateConverter

_SILENT = 16
_MIN_SILENCE = 40


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
        sound_ms=len(sounding) * float(hearing.frame_ms),
        gaps=tuple(hearing.gaps()),
        level_dbfs=hearing.level_dbfs(),
        frames=len(hearing.times),
        lost_ms=lost_ms,
        doubled_ms=doubled_ms,
        inserted_ms=inserted_ms,
    )


def compare(heard_pcm: bytes, rate_hz: int, reference: Clip) -> tuple[float, float, float]:
    """Lost, doubled and inserted milliseconds of `reference` in what was heard, in that order.

    Where the distance between what was heard and the reference grows, something was lost; where
    it shrinks, something came twice or silence was put in between.
    """
    wanted = samples(RateConverter(reference.rate_hz, rate_hz).convert(reference.pcm))
    heard = samples(heard_pcm)
    window = round(WINDOW_S * rate_hz)
    runs = align(heard, wanted, rate_hz)
    if not runs:
        return _loud_samples(wanted, window) / rate_hz * 1000, 0.0, 0.0
    lost = doubled = inserted = 0
    for run, following in pairwise(runs):
        jump = following.shift - run.shift
        lost += max(0, jump)
        silent = _silent_samples(heard[run.last : following.first + window])
        inserted += min(silent, max(0, -jump))
        doubled += max(0, -jump - silent)
    lost += _loud_samples(wanted[: max(0, runs[0].first + runs[0].shift)], window)
    lost += _loud_samples(wanted[runs[-1].last + runs[-1].shift + window :], window)
    return lost / rate_hz * 1000, doubled / rate_hz * 1000, inserted / rate_hz * 1000


def _silent_samples(part: Samples) -> int:
    """Samples in runs of silence longer than a zero crossing."""
    loud = np.flatnonzero(np.abs(part) >= _SILENT)
    lengths = np.diff(np.concatenate(([-1], loud, [len(part)]))) - 1
    return int(lengths[lengths >= _MIN_SILENCE].sum())


def _loud_samples(part: Samples, window: int) -> int:
    """Length of the audible windows."""
    pieces = (part[at : at + window] for at in range(0, len(part), window))
    return sum(len(piece) for piece in pieces if rms(piece) >= AUDIBLE)
