"""What the agent is told that the caller did not say, and when it speaks about it."""

from __future__ import annotations

from bridge.session.answering import Answering
from bridge.session.floor import Floor
from bridge.session.floor_states import FloorState
from bridge.session.line import Line
from bridge.session.provider import ProviderSeat
from bridge.session.silence import SilenceWatch

UNANSWERED_S = 2.0
"""The caller has been silent for so long, and nobody answers: it was no turn."""


class Telling:
    """One conversation's. `now` is monotonic seconds.

    Nothing is said into the caller's words: the answer to these is an answer to both.
    """

    def __init__(
        self,
        seat: ProviderSeat,
        floor: Floor,
        line: Line,
        silence: SilenceWatch,
        answering: Answering,
    ) -> None:
        self._seat = seat
        self._floor = floor
        self._line = line
        self._silence = silence
        self._answering = answering
        self._waits = False
        """The agent has been told something to speak about while the caller spoke."""

    def tell(self, text: str, *, respond: bool) -> None:
        """Tell it now; `respond`: it speaks about it, once the caller does not."""
        speaks = self._floor.state is FloorState.CALLER_SPEAKING
        if respond and not speaks:
            self._silence.floor_taken()
            self._floor.asked()
        self._waits = self._waits or (respond and speaks)
        self._seat.inform(text, respond=respond and not speaks)

    def look(self, now: float) -> None:
        """To be called a few times a second: nobody answers a noise."""
        if not self._waits or self._floor.state is FloorState.CALLER_SPEAKING:
            return
        if self._floor.state is not FloorState.LISTENING:
            self._waits = False
        elif self._line.ear.quiet_s(now) >= UNANSWERED_S:
            self._waits = False
            self._silence.floor_taken()
            self._answering.ask()
