"""What a simulated caller hears: every frame with its time, and the report on its quality. Pure."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass

from bridge.audio.formats import FRAME_MS
from esl_controller.simulator.switch.sound import level

FRAME_S = FRAME_MS / 1000
AUDIBLE = 180
"""Frames of at least this level (of 32767; about -45 dBFS) count as sound."""
SLACK_S = 0.01
"""A frame inside sound that comes later than this is a gap."""
_TURN_PAUSE_S = 0.6
_FULL_SCALE = 32768


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole in the sound: when it began, and how long nothing came."""

    at: float
    length_ms: float


class Hearing:
    """Frames as they arrive. Times are monotonic seconds."""

    def __init__(self, rate_hz: int, *, keep_audio: bool = True) -> None:
        self.rate_hz = rate_hz
        self.frame_ms = FRAME_MS
        """Packet time of the call."""
        self.times = array("d")
        self.levels = array("H")
        self.frames: list[bytes] = []
        """Empty when only times and levels are kept."""
        self.speaking_since: float | None = None
        """Start of the present run of sound; None in silence."""
        self.last_sound_at: float | None = None
        self._keep_audio = keep_audio

    def add(self, frame: bytes, now: float) -> None:
        """A frame of 16-bit PCM."""
        loudness = level(frame)
        self.times.append(now)
        self.levels.append(loudness)
        if self._keep_audio:
            self.frames.append(frame)
        if loudness >= AUDIBLE:
            if self.last_sound_at is None or now - self.last_sound_at > _TURN_PAUSE_S:
                self.speaking_since = now
            self.last_sound_at = now

    def heard_for(self, now: float) -> float:
        """For how long the agent has been speaking without a longer pause; 0 in silence."""
        if self.speaking_since is None or self.last_sound_at is None:
            return 0.0
        return 0.0 if now - self.last_sound_at > _TURN_PAUSE_S else now - self.speaking_since

    def silent_for(self, now: float) -> float | None:
        """Time since the last sound; None before the first."""
        return None if self.last_sound_at is None else now - self.last_sound_at

    def first_sound_at(self, after: float = 0.0) -> float | None:
        """When the first audible frame after `after` came."""
        pairs = zip(self.times, self.levels, strict=True)
        return next((at for at, loud in pairs if at > after and loud >= AUDIBLE), None)

    def silence_after_ms(self, moment: float, quiet_s: float = 0.3) -> float:
        """How long sound went on after `moment`: to the last frame before `quiet_s` of silence.

        0 when it was already silent.
        """
        last = moment
        for at, loud in zip(self.times, self.levels, strict=True):
            if at <= moment or loud < AUDIBLE:
                continue
            if at - last > quiet_s:
                break
            last = at
        return (last - moment) * 1000

    def gaps(self) -> list[Gap]:
        """Holes inside sound: frames that came late, or stretches of digital silence.

        A pause that the speaker made is no hole as long as its frames keep coming and carry the
        faint noise of a recording.
        """
        found = []
        frame_s = self.frame_ms / 1000
        last_sound: int | None = None
        for index, loud in enumerate(self.levels):
            if loud == 0:
                continue
            if last_sound is not None and loud >= AUDIBLE <= self.levels[last_sound]:
                space_s = self.times[index] - self.times[last_sound]
                if frame_s + SLACK_S < space_s <= _TURN_PAUSE_S:
                    found.append(Gap(self.times[last_sound], (space_s - frame_s) * 1000))
            last_sound = index
        return found

    def level_dbfs(self) -> float:
        """Level of the audible frames; -inf if there were none."""
        loud = [value for value in self.levels if value >= AUDIBLE]
        if not loud:
            return -math.inf
        mean_square = sum(value * value for value in loud) / len(loud)
        return 10 * math.log10(mean_square / _FULL_SCALE**2)

    def pcm(self) -> bytes:
        """All frames joined, without regard to time."""
        return b"".join(self.frames)

    def timeline(self, start: float, end: float) -> bytes:
        """16-bit PCM from `start` to `end`, each frame where it arrived, silence between.

        Frames that come at the usual pace stay seamless, as behind a phone's jitter buffer.
        """
        return timeline(self.times, self.frames, self.rate_hz, start, end)


def timeline(
    times: array[float], frames: list[bytes], rate_hz: int, start: float, end: float
) -> bytes:
    """Frames laid on a line of time; one that comes up to 60 ms early or late stays seamless."""
    out = bytearray()
    slack_bytes = round(0.06 * rate_hz) * 2
    for at, frame in zip(times, frames, strict=True):
        if not start <= at < end:
            continue
        place = round((at - start) * rate_hz) * 2
        if place > len(out) + slack_bytes or not out:
            out += bytes(max(0, place - len(out)))
        out += frame
    size = round((end - start) * rate_hz) * 2
    return bytes(out[:size]).ljust(size, b"\0")
