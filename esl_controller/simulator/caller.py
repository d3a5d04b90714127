"""A simulated caller: speaks by script, listens, interrupts, presses digits, hangs up."""

from __future__ import annotations

import wave
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from bridge.audio.formats import FRAME_MS
from esl_controller.simulator.caller_script import (
    Action,
    After,
    AgentSilent,
    AgentSpeaking,
    At,
    Background,
    HangUp,
    Murmur,
    Mute,
    Note,
    Press,
    Say,
    Step,
)
from esl_controller.simulator.hearing import AUDIBLE, FRAME_S, Hearing, timeline
from esl_controller.simulator.hearing_report import HearingReport, report
from esl_controller.simulator.speech import Clip
from esl_controller.simulator.switch.sound import interleaved, level, mixed, scaled

if TYPE_CHECKING:
    from esl_controller.simulator.switch.session import Session

_NOISE_FRAMES = 50
_ECHO_FRAMES = 100


class Caller:
    """The phone at the far end of a simulated call. One caller makes one call.

    With `keep_audio` off only times and levels are kept: enough for load tests, and small.
    """

    def __init__(
        self,
        script: Sequence[Step] = (),
        *,
        rate_hz: int = 8000,
        keep_audio: bool = True,
        seed: int = 1,
    ) -> None:
        self.rate_hz = rate_hz
        self.hearing = Hearing(rate_hz, keep_audio=keep_audio)
        self.notes: list[Note] = []
        """What the caller did, in order."""
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.cause = ""
        """Why the call ended; empty while it lasts."""
        self.digits_heard = ""
        self._script = list(script)
        self._next = 0
        self._step_done_at = 0.0
        self._said: list[bytes] = []
        self._position = 0
        self._background = Background()
        self._muted = False
        self._echo: deque[tuple[float, bytes]] = deque(maxlen=_ECHO_FRAMES)
        """When it comes back, and how it sounds."""
        self._murmur: list[bytes] = []
        self._noise: list[bytes] = []
        self._ptime_ms = FRAME_MS
        self._silence = bytes(rate_hz * FRAME_MS // 1000 * 2)
        self._keep_audio = keep_audio
        self._rng = Random(seed)
        self._spoken_times = array("d")
        self._spoken: list[bytes] = []
        self._session: Session | None = None
        self._presses: list[tuple[float, str]] = []

    # the phone (see switch.media.CallEnd)

    def attach(self, session: Session) -> None:
        """The call it is in, or that it is in with other packets now."""
        self._session = session
        self._ptime_ms = self.hearing.frame_ms = session.channel.ptime_ms
        self._silence = bytes(self.rate_hz * self._ptime_ms // 1000 * 2)
        self._set_background(self._background)
        rest = b"".join(self._said[self._position :])
        if rest:
            self.say(Clip(rest, self.rate_hz))

    def on_answered(self, now: float) -> None:
        """The call was answered: the script's clock starts."""
        self.answered_at = self._step_done_at = now
        self._note(now, "answered")

    def on_ended(self, now: float, cause: str) -> None:
        """The call is over."""
        self.ended_at = now
        self.cause = cause
        self._note(now, f"ended {cause}")

    def on_dtmf(self, digit: str, now: float) -> None:
        """The switch sent a digit."""
        self.digits_heard += digit
        self._note(now, f"heard digit {digit}")

    def hear(self, frame: bytes, now: float) -> None:
        """A frame arrives."""
        self.hearing.add(frame, now)
        background = self._background
        if background.echo_db is not None:
            back = scaled(frame, 10 ** (background.echo_db / 20))
            self._echo.append((now + background.echo_ms / 1000, back))

    def speak(self, now: float) -> bytes | None:
        """The next frame of what the caller says; None while muted."""
        if self.answered_at is not None:
            self._follow_script(now)
        if self._muted:
            return None
        frame = self._next_frame(now)
        if self._keep_audio:
            self._spoken_times.append(now)
            self._spoken.append(frame)
        return frame

    # acting without a script

    def say(self, clip: Clip) -> None:
        """Speak from the next frame on, interrupting anything being said."""
        self._said = clip.frames(self.rate_hz, self._ptime_ms)
        self._position = 0

    def press(self, digit: str) -> None:
        """Press one digit now."""
        if self._session is not None:
            self._session.receive_dtmf(digit)

    def hang_up(self) -> None:
        """Hang up."""
        if self._session is not None:
            self._session.hang_up("NORMAL_CLEARING", by_caller=True)

    @property
    def speaking(self) -> bool:
        """Is a clip being said?"""
        return self._position < len(self._said)

    # results

    def report(self, reference: Clip | None = None) -> HearingReport:
        """How the call sounded; with `reference` also what of it was lost or doubled."""
        return report(self.hearing, self.answered_at or 0.0, reference)

    @property
    def recorded_from(self) -> float:
        """The moment at which the recording begins."""
        starts = [times[0] for times in (self._spoken_times, self.hearing.times) if times]
        return min([*starts, self._recorded_until])

    @property
    def _recorded_until(self) -> float:
        return self.ended_at or (self.hearing.times[-1] if self.hearing.times else 0.0)

    def first_spoke(self, begin: float, end: float) -> float | None:
        """The first audible frame of the caller's own between two moments; needs kept audio."""
        return next(self._own_sound(begin, end), None)

    def last_spoke(self, begin: float, end: float) -> float | None:
        """The last one, its end."""
        last = max(self._own_sound(begin, end), default=None)
        return None if last is None else last + FRAME_S

    def _own_sound(self, begin: float, end: float) -> Iterator[float]:
        for at, frame in zip(self._spoken_times, self._spoken, strict=True):
            if begin <= at < end and level(frame) >= AUDIBLE:
                yield at

    def write_wav(self, path: Path) -> None:
        """The whole call in stereo: left the caller, right what the caller heard."""
        start, end = self.recorded_from, self._recorded_until
        left = timeline(self._spoken_times, self._spoken, self.rate_hz, start, end)
        right = self.hearing.timeline(start, end)
        with wave.open(str(path), "wb") as file:
            file.setnchannels(2)
            file.setsampwidth(2)
            file.setframerate(self.rate_hz)
            file.writeframes(interleaved(left, right))

    # inner course

    def _next_frame(self, now: float) -> bytes:
        frame = self._silence
        if self._position < len(self._said):
            frame = self._said[self._position]
            self._position += 1
            if self._position == len(self._said):
                self._note(now, "said")
                self._step_done_at = now
        if self._murmur:
            frame = mixed(frame, self._murmur.pop(0))
        if self._echo and self._echo[0][0] <= now:
            frame = mixed(frame, self._echo.popleft()[1])
        if self._noise:
            frame = mixed(frame, self._rng.choice(self._noise))
        return frame

    def _follow_script(self, now: float) -> None:
        while self._presses and self._presses[0][0] <= now:
            self.press(self._presses.pop(0)[1])
            self._step_done_at = now
        while self._next < len(self._script) and self._due(self._script[self._next], now):
            step = self._script[self._next]
            self._next += 1
            self._step_done_at = now
            self._act(step.action, now)

    def _due(self, step: Step, now: float) -> bool:
        when = step.when
        if isinstance(when, At):
            return now - (self.answered_at or 0.0) >= when.s
        if isinstance(when, After):
            busy = self.speaking or bool(self._presses)
            return not busy and now - self._step_done_at >= when.s
        if isinstance(when, AgentSpeaking):
            return not self.speaking and self.hearing.heard_for(now) >= when.for_s
        assert isinstance(when, AgentSilent)
        last = self.hearing.last_sound_at
        if last is None or self.speaking or last <= self._step_done_at:
            return False
        return now - last >= when.for_s

    def _act(self, action: Action, now: float) -> None:
        if isinstance(action, Say):
            self._note(now, f"says {action.clip.name}")
            self.say(action.clip)
        elif isinstance(action, Murmur):
            self._note(now, f"murmurs {action.clip.name}")
            self._murmur = action.clip.frames(self.rate_hz, self._ptime_ms).copy()
        elif isinstance(action, Press):
            self._note(now, f"presses {action.digits}")
            self._presses = [
                (now + place * action.gap_s, digit) for place, digit in enumerate(action.digits)
            ]
        elif isinstance(action, HangUp):
            self._note(now, "hangs up")
            self.hang_up()
        elif isinstance(action, Mute):
            self._muted = action.on
        else:
            self._set_background(action)

    def _set_background(self, action: Background) -> None:
        self._background = action
        self._noise = []
        if action.noise_dbfs is not None:
            self._noise = [
                _noise_frame(self._rng, len(self._silence) // 2, action.noise_dbfs)
                for _ in range(_NOISE_FRAMES)
            ]

    def _note(self, now: float, what: str) -> None:
        self.notes.append(Note(now, what))


def _noise_frame(rng: Random, samples: int, dbfs: float) -> bytes:
    deviation = 32768 * 10 ** (dbfs / 20)
    values = (round(rng.gauss(0, deviation)) for _ in range(samples))
    return array("h", [max(-32768, min(32767, value)) for value in values]).tobytes()
