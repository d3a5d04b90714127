"""A sound that ends, or begins again, in the middle: over some milliseconds, not with a click."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

FADE_MS = 20
"""Shortest fade: an edge shorter than a few milliseconds is a click."""
MAX_FADE_MS = 40
"""Longest, however long the channel's packets are."""


@lru_cache(maxsize=32)
def _falling(samples: int, longest: int) -> NDArray[np.float32]:
    """Half a cosine from 1 to 0 over at most `longest` samples, then 0."""
    count = min(samples, longest)
    ramp = np.zeros(samples, np.float32)
    ramp[:count] = 0.5 + 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / count)
    return ramp


def fade_out(data: bytes, rate_hz: int) -> bytes:
    """L16 that falls to silence."""
    samples = np.frombuffer(data, "<i2")
    ramp = _falling(len(samples), rate_hz * MAX_FADE_MS // 1000)
    return (samples * ramp).astype("<i2").tobytes()


def fade_in(data: bytes, rate_hz: int) -> bytes:
    """L16 that rises from silence within `FADE_MS`: the mirror image of a fade out as long."""
    samples = np.frombuffer(data, "<i2")
    count = min(len(samples), rate_hz * FADE_MS // 1000)
    risen = (samples[:count] * (1 - _falling(count, count))).astype("<i2").tobytes()
    return risen + data[2 * count :]
