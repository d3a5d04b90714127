"""What a short stretch of sound is: silence, one pure tone, or anything else. Pure.

A tone is looked for with Goertzel's algorithm (Goertzel 1958): the energy at one frequency,
compared with all the energy there is. Answering machines beep with one tone of 400 to 2000 Hz;
speech and music spread theirs.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

WINDOW_MS = 40
QUIET_RMS = 120.0
"""Of 16-bit samples: about -49 dBFS. Lines hiss below, a voice on the telephone is above."""
PURE = 0.72
"""Share of the energy that one frequency has in a beep."""
LOWEST_HZ, HIGHEST_HZ, STEP_HZ = 350.0, 2200.0, 12.5


class Kind(enum.Enum):
    """Of one window."""

    SILENCE = "silence"
    TONE = "tone"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Window:
    """What one window of sound is."""

    kind: Kind
    rms: float
    tone_hz: float = 0.0


class Listener:
    """Cuts a stream into windows and names each."""

    def __init__(self, rate_hz: int) -> None:
        self._samples = rate_hz * WINDOW_MS // 1000
        self._bytes = 2 * self._samples
        self._rest = b""
        frequencies = np.arange(LOWEST_HZ, HIGHEST_HZ + 1, STEP_HZ)
        times = np.arange(self._samples) / rate_hz
        # Goertzel's recurrence at each frequency is this sum, which numpy does at once.
        self._waves = np.exp(-2j * np.pi * frequencies[:, None] * times[None, :])
        self._frequencies = frequencies

    def hear(self, pcm: bytes) -> list[Window]:
        """The windows that `pcm`, 16-bit mono, completes."""
        data = self._rest + pcm
        whole = len(data) - len(data) % self._bytes
        self._rest = data[whole:]
        return [self._judge(data[at : at + self._bytes]) for at in range(0, whole, self._bytes)]

    def _judge(self, data: bytes) -> Window:
        samples = np.frombuffer(data, "<i2").astype(np.float64)
        energy = float(np.dot(samples, samples))
        rms = (energy / self._samples) ** 0.5
        if rms < QUIET_RMS:
            return Window(Kind.SILENCE, rms)
        powers = np.abs(self._waves @ samples) ** 2
        best = int(np.argmax(powers))
        # A sine of this frequency alone would have this much of the energy.
        share = 2.0 * float(powers[best]) / (self._samples * energy)
        if share >= PURE:
            return Window(Kind.TONE, rms, float(self._frequencies[best]))
        return Window(Kind.SOUND, rms)
