"""Where a sound was heard, sample for sample, through a codec that changes every one of them. Pure.

What was heard is compared at 8 kHz in windows of 60 ms at the place where it should be. Where it is
not there, it is looked for around it: later means that something else came between or was played
twice, earlier that something is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import soxr
from numpy.typing import NDArray

from esl_controller.simulator.hearing import AUDIBLE

RATE_HZ = 8000
BLOCK, WINDOW, MORE = 160, 480, 3200
"""Samples: 20, 60 and 400 ms."""
HEADS = (800, WINDOW, 320)
"""The same of a beginning that something came behind: as little as a packet of 40 ms."""
STARTS = (8000, 3200, 1600)
"""Of the beginning, so much at once is looked for: less where something came between in it."""
BEGIN_STEP = 5
"""If it is not there, it is looked for so many blocks further on."""
ALIKE, SURE, BETTER = 0.8, 0.85, 0.1
FINE = 4
BACK, AHEAD = 4000, 24000
"""Samples looked through before and behind the place: 0.5 and 3 s."""

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Piece:
    """What came in one packet: the monotonic second, and 16-bit PCM at its rate."""

    at: float
    pcm: bytes
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Heard:
    """How whole it was."""

    lost_ms: float
    doubled_ms: float
    """Played twice, or between its first and last sample and not of it, and no silence."""
    largest_gap_ms: float
    """Longest time between two packets of it, less what the first of them lasts, or silence between
    two parts of it."""
    last_at: float
    """Arrival of its last packet; 0 when it was not heard."""


def at_8_khz(pcm: bytes, rate_hz: int) -> Samples:
    """16-bit PCM as numbers at the rate of comparison."""
    samples = np.frombuffer(pcm, "<i2").astype(np.float64)
    return samples if rate_hz == RATE_HZ else soxr.resample(samples, rate_hz, RATE_HZ)


def joined(pieces: Sequence[Piece]) -> tuple[Samples, list[float]]:
    """All of it in a row, and how many samples of it each piece and those before it are."""
    parts: list[Samples] = []
    run: list[bytes] = []
    ends: list[float] = []
    total = 0.0
    for n, piece in enumerate(pieces):
        run.append(piece.pcm)
        total += len(piece.pcm) / 2 * RATE_HZ / piece.rate_hz
        ends.append(total)
        if n + 1 == len(pieces) or pieces[n + 1].rate_hz != piece.rate_hz:
            parts.append(at_8_khz(b"".join(run), piece.rate_hz))
            run = []
    return (np.concatenate(parts) if parts else np.zeros(0)), ends


def follow(pieces: Sequence[Piece], wanted: Samples) -> Heard:
    """`wanted` at 8 kHz in what came."""
    heard, ends = joined(pieces)
    heard = np.concatenate([heard, np.zeros(MORE)])  # what is looked for may end in silence
    loud = [at for at in range(0, len(wanted) - WINDOW, BLOCK) if _loud(wanted[at : at + WINDOW])]
    ms = 1000 / RATE_HZ
    if not loud:
        return Heard(0.0, 0.0, 0.0, 0.0)
    last = loud[-1]
    first, start = _begin(heard, wanted, loud)
    if start is None:
        return Heard((last + WINDOW - loud[0]) * ms, 0.0, 0.0, 0.0)
    shift, lost, found_until = start - first, first - loud[0], first
    doubled = silent = 0
    unsure: list[int] = []
    for at in loud[loud.index(first) :]:
        window = wanted[at : at + WINDOW]
        score, place = _best(heard, window, at + shift - FINE, at + shift + FINE)
        if score < ALIKE:
            # Vowels repeat themselves: it is taken up again where more of it follows.
            more = wanted[at : at + MORE]
            stays, place = _best(heard, more, at + shift - FINE, at + shift + FINE)
            score, elsewhere = _best(heard, more, at + shift - BACK, at + shift + AHEAD)
            if score < max(SURE, stays + BETTER) or _stays(heard, wanted, last, shift, at):
                unsure.append(at)
                continue
            place = elsewhere
            moved = place - at - shift
            quiet = _quiet(heard[at + shift : place])
            silent, lost = max(silent, quiet), lost + max(0, -moved)
            for n in [*unsure, at]:
                both = (n + shift, n + shift + moved)
                lost += min(_missing(heard, one, wanted[n : n + WINDOW]) for one in both)
            unsure = []
            doubled += max(0, moved - quiet)
        lost += sum(_missing(heard, n + shift, wanted[n : n + WINDOW]) for n in unsure)
        shift, found_until, unsure = place - at, at, []
    silent_end = any(_missing(heard, n + shift, wanted[n : n + WINDOW]) for n in unsure)
    if unsure and _stays(heard, wanted, last, shift, unsure[0]) and not silent_end:
        found_until = last
    lost += last - found_until
    gap_ms, last_at = _gap(pieces, ends, start, found_until + WINDOW + shift)
    return Heard(lost * ms, doubled * ms, max(gap_ms, silent * ms), last_at)


def _stays(heard: Samples, wanted: Samples, last: int, shift: int, at: int) -> bool:
    """Whether the end of it, of which little is left at `at`, is where it should be, together with
    what goes before."""
    since = last + WINDOW - MORE
    if at <= since:
        return False
    there = since + shift
    return _best(heard, wanted[since : since + MORE], there - FINE, there + FINE)[0] >= ALIKE


def _begin(heard: Samples, wanted: Samples, loud: list[int]) -> tuple[int, int | None]:
    """The first place of `wanted` that was heard, and where."""
    for first in loud[::BEGIN_STEP]:
        for size in STARTS:
            found = _first(heard, wanted[first : first + size])
            if found is not None:
                return _back(heard, wanted, loud, found - first)
    return loud[0], None


def _back(heard: Samples, wanted: Samples, loud: list[int], shift: int) -> tuple[int, int]:
    """The same where its beginning is missing at that place, or was heard before it."""
    sure = next(
        (
            at
            for at in loud
            if _best(heard, wanted[at : at + WINDOW], at + shift, at + shift + FINE)[0] >= ALIKE
        ),
        loud[0],
    )
    for at in loud[: loud.index(sure)]:
        for size in HEADS:
            found = _first(heard[: sure + shift], wanted[at : at + size])
            if found is not None:
                return at, found
    return sure, sure + shift


def _missing(heard: Samples, place: int, window: Samples) -> int:
    """Samples of a loud block that should be heard there, where there is silence."""
    if not _loud(window[BLOCK : 2 * BLOCK]):
        return 0
    middle = heard[max(0, place + BLOCK) : max(0, place + 2 * BLOCK)]
    return 0 if len(middle) and _quiet(middle) < len(middle) else BLOCK


def _quiet(part: Samples) -> int:
    """How many samples of it are silence."""
    blocks = [part[at : at + 80] for at in range(0, len(part), 80)]
    return sum(len(block) for block in blocks if float(np.sqrt(np.mean(block**2))) < AUDIBLE)


def _gap(pieces: Sequence[Piece], ends: list[float], begin: int, end: int) -> tuple[float, float]:
    span = [
        piece
        for piece, until in zip(pieces, ends, strict=True)
        if until > begin and until - len(piece.pcm) / 2 * RATE_HZ / piece.rate_hz < end
    ]
    gaps = [(b.at - a.at) * 1000 - len(a.pcm) * 500 / a.rate_hz for a, b in pairwise(span)]
    return max(gaps, default=0.0), span[-1].at if span else 0.0


def _loud(window: Samples) -> bool:
    return float(np.sqrt(np.mean(window**2))) >= 2 * AUDIBLE


def _scores(region: Samples, window: Samples) -> Samples:
    """Normalised correlation at each place."""
    size = 1 << (len(region) + len(window) - 1).bit_length()
    product = np.fft.rfft(region, size) * np.conj(np.fft.rfft(window, size))
    correlation = np.fft.irfft(product, size)[: len(region) - len(window) + 1]
    squares = np.concatenate(([0.0], np.cumsum(region**2)))
    energy = np.maximum(squares[len(window) :] - squares[: -len(window)], 1.0)
    scores: Samples = correlation / np.sqrt(energy * float(np.sum(window**2)))
    return scores


def _first(heard: Samples, window: Samples) -> int | None:
    if len(heard) < len(window):
        return None
    scores = _scores(heard, window)
    good = np.flatnonzero(scores > SURE)
    if not len(good):
        return None
    near = scores[good[0] : good[0] + RATE_HZ // 10]
    return int(good[0] + np.argmax(near))


def _best(heard: Samples, window: Samples, low: int, high: int) -> tuple[float, int]:
    low = max(0, low)
    region = heard[low : max(low, high) + len(window)]
    if len(region) < len(window):
        return 0.0, low
    scores = _scores(region, window)
    place = int(np.argmax(scores))
    return float(scores[place]), low + place
