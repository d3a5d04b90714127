"""Who is to be heard in a piece of a simulated telephone's audio: everyone sounds different.

The emulated agent buzzes through formants and is alone above 1,900 Hz. Hold music is made of
chords below 1,700 Hz. Caller and human speak as tones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

CALLER_HZ, HUMAN_HZ = 700.0, 1200.0
AGENT, MUSIC, CALLER, HUMAN = "agent", "music", "caller", "human"
_WINDOW_S = 0.2
_SILENT = 100.0
"""Root mean square of a window in which nothing is to be heard."""


def who_is_heard(phone: Any, begin: float = 0.0, end: float = float("inf")) -> set[str]:
    """Of a `Caller`, between two monotonic moments."""
    return {who for at, who in story(phone) if begin <= at < end}


def story(phone: Any) -> list[tuple[float, str]]:
    """What is heard when, in windows of 0.2 s that are full of one sound."""
    hearing = phone.hearing
    if not hearing.times:
        return []
    start = hearing.times[0]
    sound = np.frombuffer(hearing.timeline(start, hearing.times[-1] + 0.02), dtype="<i2")
    size = int(hearing.rate_hz * _WINDOW_S)
    windows = [
        sound[place : place + size].astype(float) for place in range(0, len(sound) - size + 1, size)
    ]
    whose = [_who(window, hearing.rate_hz) for window in windows]
    broken = [not all(_loud(window)) for window in windows]
    return [
        (start + n * _WINDOW_S, who)
        for n, who in enumerate(whose)
        if who and not (who == AGENT and broken[n] and _beside_others(whose, broken, n))
    ]


def _beside_others(whose: list[str], broken: list[bool], n: int) -> bool:
    """Whether a window is the edge of another sound, or a hole that a busy machine made in it."""
    beside = [m for m in (n - 1, n + 1) if 0 <= m < len(whose)]
    return any(whose[m] not in ("", AGENT) and not broken[m] for m in beside)


def _loud(window: Any) -> list[bool]:
    return [bool(np.sqrt(np.mean(part**2)) >= _SILENT) for part in np.array_split(window, 5)]


def _who(window: Any, rate_hz: int) -> str:
    """The edge of a sound, where its spectrum is wide, may be anyone's but the agent's, who makes
    a pause at every word and is known by what is nobody else's."""
    loud = _loud(window)
    if not any(loud):
        return ""
    power = np.abs(np.fft.rfft(window * np.hanning(len(window)))) ** 2
    hertz = np.fft.rfftfreq(len(window), 1 / rate_hz)
    total = power.sum()
    if not total:  # a click where the window's edge weighs nothing
        return ""

    def share(low: float, high: float) -> float:
        return float(power[(hertz >= low) & (hertz <= high)].sum() / total)

    tones = {who: share(at - 60, at + 60) for who, at in ((CALLER, CALLER_HZ), (HUMAN, HUMAN_HZ))}
    high = share(1900, 3500)
    if not all(loud):
        return AGENT if high > 0.02 and max(tones.values()) < 0.3 else ""
    for who, part in tones.items():
        if part > 0.5:
            return who
    return AGENT if high > 0.004 else MUSIC
