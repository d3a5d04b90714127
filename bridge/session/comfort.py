"""A soft sound while a function works: the caller hears that the line lives.

Keys, far off, as of somebody who types: made here, a few seconds that repeat.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from bridge.audio.formats import L16_8K
from bridge.session.floor import Floor
from bridge.session.line import Line
from bridge.session.music import Music

AFTER_S = 1.0
"""A function that is done by then needs no sound."""
LENGTH_S = 6.0
PEAK_DBFS = -30.0
KEY_MS = 12


@cache
def typing() -> bytes:
    """L16 at 8 kHz: strokes of keys at uneven distances, over a breath of noise."""
    rng = np.random.default_rng(20)
    rate_hz, count = L16_8K.rate_hz, round(LENGTH_S * L16_8K.rate_hz)
    sound = rng.standard_normal(count) * 0.02
    size = rate_hz * KEY_MS // 1000
    decay = np.exp(-np.arange(size) / (size / 4))
    at = 0.2
    while at < LENGTH_S - 0.2:
        begin = round(at * rate_hz)
        sound[begin : begin + size] += rng.standard_normal(size) * decay * rng.uniform(0.4, 1)
        at += rng.uniform(0.09, 0.22) if rng.random() < 0.85 else rng.uniform(0.5, 0.9)
    sound *= 32767 * 10 ** (PEAK_DBFS / 20) / np.abs(sound).max()
    return sound.astype("<i2").tobytes()


class Comfort:
    """One call's. `now` is monotonic seconds."""

    def __init__(self, floor: Floor, line: Line, *, wanted: bool) -> None:
        self._floor = floor
        self._line = line
        self.wanted = wanted
        self._idle_since: float | None = None
        self._music: Music | None = None

    def look(self, now: float) -> None:
        """To be called a few times a second: begin when a function has kept the line silent."""
        if self._music is not None and not self._floor.functions:
            self.stop(now)
        if not self.wanted or self._music is not None:
            return
        waits = bool(self._floor.functions) and self._floor.due and self._line.idle(now)
        if not waits or self._line.ear.active or not self._line.open:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since >= AFTER_S:
            self._music = Music(typing(), L16_8K)
            self._line.play_music(self._music)

    def stop(self, now: float) -> None:
        """Somebody speaks, or is about to: it ends at once."""
        self._idle_since = None
        music, self._music = self._music, None
        if music is not None and self._line.music is music:
            self._line.play_music(None)
            self._line.cut(now)
            self._line.downlink.begin(self._floor.resumed())
