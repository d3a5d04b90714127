"""A voice of tones: always there, for tests and for trying out a line. No words can be heard."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bridge.speech.service import Cancelled, Options, Place

SYLLABLE_S = 0.08
PAUSE_S = 0.04
_PITCH_HZ = {"a": 220.0, "e": 262.0, "i": 330.0, "o": 196.0, "u": 175.0}
_LEVEL = 8000.0


class Tones:
    """A tone for each vowel."""

    def __init__(self, options: Options) -> None:
        self._rate_hz = options.rate_hz
        self._speed = options.speed

    def speak(self, text: str, cancelled: Cancelled) -> Iterator[bytes]:
        """The same text always gives the same sound."""
        for letter in text.lower():
            if cancelled():
                return
            if letter in _PITCH_HZ:
                yield self._tone(_PITCH_HZ[letter])
            elif letter == " ":
                yield bytes(2 * self._samples(PAUSE_S))

    def _samples(self, seconds: float) -> int:
        return int(self._rate_hz * seconds / self._speed)

    def _tone(self, pitch_hz: float) -> bytes:
        count = self._samples(SYLLABLE_S)
        place = np.arange(count)
        envelope = np.sin(np.pi * (place + 0.5) / count)
        wave = np.sin(2 * np.pi * pitch_hz * place / self._rate_hz) * envelope * _LEVEL
        return wave.astype("<i2").tobytes()


def open_tones(options: Options, place: Place) -> Tones:
    """It has one voice, for every language."""
    return Tones(options)
