"""The agent is cut off: silence, and everybody is told how much of what was heard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.playout.heard import HeardPosition
from bridge.ports import SessionListener
from bridge.session.answering import Answering
from bridge.session.downlink import ItemHeard
from bridge.session.echo import EchoGuard
from bridge.session.floor import Floor
from bridge.session.line import Line
from bridge.session.provider import ProviderSeat
from bridge.session.transcript import Transcript


class Cutting:
    """One conversation's interruptions. `now` is monotonic seconds.

    A generation is what `Floor` returns when the agent is cut off; None: it is not.
    """

    def __init__(
        self,
        seat: ProviderSeat,
        floor: Floor,
        line: Line,
        transcript: Transcript,
        answering: Answering,
        echo: EchoGuard,
        listener: SessionListener,
    ) -> None:
        self._seat = seat
        self._floor = floor
        self._line = line
        self._transcript = transcript
        self._answering = answering
        self._echo = echo
        self._listener = listener

    def off(
        self,
        generation: int | None,
        now: float,
        *,
        theirs: bool = True,
        knows: bool = False,
        unheard: Iterable[str] = (),
        reaction_ms: float | None = None,
    ) -> None:
        """The caller has the floor: silence at once, history cut where it was heard.

        Without `theirs` only a phrase of ours was cut, or an answer that was complete: the provider
        may already be giving the next, which is not to be stopped. One that `knows` has cut its
        answer itself. `unheard`: items that were not even queued. `reaction_ms`: how long silence
        took, where the agent is silent already.
        """
        if generation is None:
            if self._line.paused:  # nobody cuts off what was silenced
                self._line.resume(self._floor.resumed(), now)
            return
        ear = self._line.ear
        voice_at = ear.changed_at if ear.active else None
        if voice_at is None and self._line.echo.explains_all(now):
            voice_at = now
        heard = self._line.cut(now)
        if reaction_ms is None:
            reaction_ms = (self._line.clock() - now) * 1000
        self._line.downlink.begin(generation)
        self._answering.interrupted()
        self._echo.interrupted(now, voice_at)
        if knows:
            self._tell(heard)
        elif theirs or heard:
            self.cut([*heard, *(ItemHeard(item_id, 0, 0) for item_id in unheard)])
        self._listener.interrupted(reaction_ms)

    def cut(self, heard: Sequence[ItemHeard]) -> None:
        """Tell provider and transcript what was heard of the items that were cut."""
        self._seat.cut([HeardPosition(one.item_id, one.heard_ms) for one in heard])
        self._tell(heard)

    def _tell(self, heard: Sequence[ItemHeard]) -> None:
        for one in heard:
            utterance = self._transcript.cut(*one)
            if utterance is not None:
                self._listener.uttered(utterance)
