"""Music for a caller who waits: our own, so that it needs no file, no licence and no FreeSWITCH."""

from __future__ import annotations

from functools import cache

import numpy as np

from bridge.audio.formats import L16_8K, AudioFormat

_NOTE_S = 0.4
_CHORDS_HZ = (
    (261.63, 329.63, 392.00, 523.25),
    (220.00, 261.63, 329.63, 440.00),
    (174.61, 220.00, 261.63, 349.23),
    (196.00, 246.94, 293.66, 392.00),
)
_ORDER = (0, 1, 2, 3, 2, 1)
_LEVEL = 2600.0
"""Well below speech: it is heard for half a minute, and the agent's voice comes after it."""


@cache
def hold_music() -> tuple[bytes, AudioFormat]:
    """Four broken chords of ten seconds, as L16 at 8 kHz; `warm_up` makes them before any call."""
    count = int(L16_8K.rate_hz * _NOTE_S)
    time_s = np.arange(count) / L16_8K.rate_hz
    fade = np.minimum(1.0, time_s / 0.02) * np.exp(-3.0 * time_s)
    fade *= np.minimum(1.0, (_NOTE_S - time_s) / 0.02)
    notes = [_note(chord[place], time_s) * fade for chord in _CHORDS_HZ for place in _ORDER]
    return np.concatenate(notes).astype("<i2").tobytes(), L16_8K


def _note(pitch_hz: float, time_s: np.ndarray) -> np.ndarray:
    turn = 2 * np.pi * pitch_hz * time_s
    return _LEVEL * (np.sin(turn) + 0.3 * np.sin(2 * turn) + 0.1 * np.sin(3 * turn))


def warm_up() -> None:
    """Make it."""
    hold_music()
