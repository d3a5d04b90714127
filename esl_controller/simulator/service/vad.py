"""Voice activity detection good enough to take a caller's turns apart.

Energy over an adaptive noise floor, and zero crossings to tell a voice from hiss. It counts
time in samples, so it gives the same answer however fast the audio arrives.
"""

from __future__ import annotations

import audioop
from dataclasses import dataclass

FRAME_MS = 20
START_FRAMES = 3
"""So many voiced frames in a row begin a turn: 60 ms, longer than a click."""
FLOOR_RISE = 1.02
"""How fast the noise floor follows a louder room, per frame."""
OVER_FLOOR = 2.0
"""A voice is at least this much louder than the floor: 6 dB."""
MAX_CROSSINGS = 0.4
"""Share of samples that change sign: white noise has 0.5, a voice far less."""
MAX_CROSSINGS_PER_S = 4200
"""The same of a telephone's hiss at a higher rate, which reaches no higher than 4 kHz."""
DIP_FRAMES = 50
"""A voice is as quiet as the room at least once in so many frames."""
MAX_KEPT_MS = 12_000
KEPT_BEFORE_MS = 500
"""From before a turn was found."""
_SILENCE_DBFS = -60.0
_RANGE_DB = 40.0
_FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True)
class Boundary:
    """A turn began or ended at this position in the audio."""

    started: bool
    at_ms: int


class VoiceActivityDetector:
    """Finds the boundaries of turns in 16-bit samples."""

    def __init__(
        self,
        rate_hz: int,
        *,
        threshold: float,
        prefix_padding_ms: int,
        silence_duration_ms: int,
        whole_messages: bool = False,
        position_ms: float = 0.0,
        keeps: bool = False,
    ) -> None:
        """`whole_messages` judges each `receive` at once: cheaper and coarser. `keeps`: the audio
        of a turn can be had at its end."""
        self.speaking = False
        self._rate_hz = rate_hz
        self._min_rms = level_for_threshold(threshold)
        self._prefix_padding_ms = prefix_padding_ms
        self._silence_duration_ms = silence_duration_ms
        self._frame_bytes = 0 if whole_messages else rate_hz * FRAME_MS // 1000 * 2
        self._rest = b""
        self._floor = self._min_rms / OVER_FLOOR
        self._quietest: list[float] = []
        self._position_ms = position_ms
        self._voiced_ms = 0.0
        self._silent_ms = 0.0
        self._kept: bytearray | None = bytearray() if keeps else None

    @property
    def turn_audio(self) -> bytes:
        """The turn under way, or that has just ended, with a little from before it."""
        return bytes(self._kept or b"")

    def receive(self, samples: bytes) -> list[Boundary]:
        """Take audio (16-bit little-endian) and give the boundaries found in it."""
        if self._kept is not None:
            self._kept += samples
            most_ms = MAX_KEPT_MS if self.speaking else KEPT_BEFORE_MS
            del self._kept[: -self._rate_hz * 2 * most_ms // 1000]
        found: list[Boundary] = []
        if not self._frame_bytes:
            self._frame(samples, found)
            return found
        data = self._rest + samples
        end = len(data) - len(data) % self._frame_bytes
        for begin in range(0, end, self._frame_bytes):
            self._frame(data[begin : begin + self._frame_bytes], found)
        self._rest = data[end:]
        return found

    def _frame(self, frame: bytes, found: list[Boundary]) -> None:
        length_ms = len(frame) * 500 / self._rate_hz
        self._position_ms += length_ms
        if self._is_voice(frame):
            self._voiced_ms += length_ms
            self._silent_ms = 0.0
        else:
            self._voiced_ms = 0.0
            self._silent_ms += length_ms
        if not self.speaking and self._voiced_ms >= START_FRAMES * FRAME_MS:
            self.speaking = True
            start_ms = self._position_ms - self._voiced_ms - self._prefix_padding_ms
            found.append(Boundary(True, max(0, round(start_ms))))
        elif self.speaking and self._silent_ms >= self._silence_duration_ms:
            self.speaking = False
            found.append(Boundary(False, round(self._position_ms)))

    def _look_for_dips(self, rms: float) -> None:
        """Within a turn the floor follows the quietest frame of each second."""
        self._quietest.append(rms)
        if len(self._quietest) >= DIP_FRAMES:
            if self.speaking:
                self._floor = max(self._floor, min(min(self._quietest), self._min_rms * 4))
            self._quietest.clear()

    def _is_voice(self, frame: bytes) -> bool:
        rms = audioop.rms(frame, 2)
        if rms < self._floor:
            self._floor = max(1.0, rms)
        elif not self.speaking:
            self._floor = min(self._floor * FLOOR_RISE, self._min_rms * 4)
        self._look_for_dips(rms)
        if rms < max(self._min_rms, self._floor * OVER_FLOOR):
            return False
        if self.speaking or not self._frame_bytes:
            return True
        crossings = audioop.cross(frame, 2) / (len(frame) // 2)
        return crossings < min(MAX_CROSSINGS, MAX_CROSSINGS_PER_S / self._rate_hz)


def level_for_threshold(threshold: float) -> float:
    """RMS that counts as voice: 0 is -60 dBFS, 0.5 is -40 dBFS, 1 is -20 dBFS."""
    return float(_FULL_SCALE * 10 ** ((_SILENCE_DBFS + _RANGE_DB * threshold) / 20))
