"""Ends of a channel that need no script: a silent phone, and the two halves of a loopback."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from esl_controller.simulator.switch.session import Session

# A loopback that is not read keeps half a second of audio, then drops the oldest.
_LOOPBACK_FRAMES = 25


class SilentEnd:
    """A phone that says nothing and may leave after a while."""

    def __init__(self, hangs_up_after_s: float | None = None) -> None:
        self._hangs_up_after_s = hangs_up_after_s
        self._session: Session | None = None
        self._answered_at: float | None = None
        self.digits = ""
        """Digits the switch sent."""

    def attach(self, session: Session) -> None:
        """The call it may hang up."""
        self._session = session

    def on_answered(self, now: float) -> None:
        """The call was answered."""
        self._answered_at = now

    def on_ended(self, now: float, cause: str) -> None:
        """The call is over."""

    def on_dtmf(self, digit: str, now: float) -> None:
        """The switch sends a digit."""
        self.digits += digit

    def speak(self, now: float) -> bytes | None:
        """No RTP; leaves when its time has come."""
        if self._hangs_up_after_s is not None and self._answered_at is not None:
            over = now - self._answered_at >= self._hangs_up_after_s
            if over and self._session is not None:
                self._session.hang_up("NORMAL_CLEARING", by_caller=True)
        return None

    def hear(self, frame: bytes, now: float) -> None:
        """Nobody listens."""


class LoopbackEnd:
    """Half of a loopback channel: what one half hears the other says."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self._other: LoopbackEnd = self
        self._frames: deque[bytes] = deque(maxlen=_LOOPBACK_FRAMES)

    @classmethod
    def pair(cls) -> tuple[LoopbackEnd, LoopbackEnd]:
        """Two halves that hear each other."""
        one, other = cls(), cls()
        one._other, other._other = other, one
        return one, other

    def attach(self, session: Session) -> None:
        """The half it belongs to."""
        self.session = session

    def on_answered(self, now: float) -> None:
        """The call was answered."""

    def on_ended(self, now: float, cause: str) -> None:
        """One half is over, so is the other."""
        session = self._other.session
        if session is not None:
            session.hang_up(cause, by_caller=True)

    def on_dtmf(self, digit: str, now: float) -> None:
        """Digits pass through."""
        session = self._other.session
        if session is not None:
            session.receive_dtmf(digit)

    def speak(self, now: float) -> bytes | None:
        """What the other half heard."""
        return self._frames.popleft() if self._frames else None

    def hear(self, frame: bytes, now: float) -> None:
        """Give it to the other half."""
        self._other._frames.append(frame)
