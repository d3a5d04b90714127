"""Sees a doubtful moment through: the agent is silent, and nobody knows yet for what.

What the provider begins meanwhile by itself is kept back: it is an answer to what was heard, and
wanted only if that was a turn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.providers import base as p
from bridge.providers.conversation import Speaker
from bridge.session.barge_in import LEFT_MS, BargeIn, Heard, Verdict
from bridge.session.config import SessionConfig
from bridge.session.floor import Floor
from bridge.session.line import Line
from bridge.session.provider import ProviderSeat
from bridge.session.states import SessionState

MAX_KEPT = 2000
"""Events of an answer that was begun in doubt; what is more is lost with it."""
ANSWERED_LATE_S = 3.0
"""A provider that decides itself what interrupts it, and answers so soon after the agent went on,
has heard a turn."""
_OF_THE_CALLER = (p.CallerStarted, p.CallerStopped, p.CallerWords, p.Interrupted)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a doubtful moment came to."""

    verdict: Verdict
    turn_id: str
    began_at: float
    stopped_at: float | None
    """When the caller was silent again; None: the caller speaks on."""
    reaction_ms: float
    """From the provider's word to silence."""
    asked_at: float | None
    """When the provider was asked to write down what our ear heard; None: it was not."""
    kept: tuple[p.ProviderEvent, ...]
    """Of an answer of its own to what was heard, if it has begun one."""
    unheard: tuple[str, ...]
    """Items of that answer."""

    @property
    def answered(self) -> bool:
        """The provider has begun an answer of its own to what was heard."""
        return bool(self.kept)

    @property
    def said(self) -> bool:
        """There were words, though none that interrupt."""
        return self.verdict is Verdict.BACK_CHANNEL


class Doubt:
    """One conversation's doubtful moments. `now` is monotonic seconds."""

    def __init__(
        self,
        config: SessionConfig,
        seat: ProviderSeat,
        floor: Floor,
        line: Line,
        on_settled: Callable[[Settled, float], None],
    ) -> None:
        self.dismissed = ""
        """The caller's turn that was none; its end begins nothing."""
        self._barge = BargeIn(config.turns, config.brief.heard_language)
        self._seat = seat
        self._floor = floor
        self._line = line
        self._on_settled = on_settled
        self.kept: list[p.ProviderEvent] | None = None
        """What came of an answer that was begun and may not be wanted; None: none was."""
        self._reaction_ms = 0.0
        self._went_on: tuple[Verdict, float, bool] | None = None
        """After what the agent went on last, when, and whether the provider was told of it."""

    @property
    def open(self) -> bool:
        """The agent is silent, and it is not known for what."""
        barge = self._barge
        if barge.began_at is not None and not self._line.paused:
            self._forget()  # somebody else has cut or closed the line
        return barge.began_at is not None

    def close(self) -> None:
        """Nobody wants to know any more."""
        self._on_settled = lambda settled, now: None

    # --- begin ----------------------------------------------------------------------------------

    def begin(self, now: float, turn_id: str = "") -> bool:
        """A voice while the agent speaks: silence. False: no doubt is wanted, or nothing is heard.

        Where the agent is silent in doubt already, the caller goes on.
        """
        if self.open:
            self._barge.went_on(turn_id)
            return True
        floor = self._floor
        if not self._barge.resumes or not floor.playing or not floor.barge_in:
            return False
        if not self._line.pause(now):
            if not floor.due:
                floor.drained()  # the last of it is on its way: there is nothing to interrupt
            return False
        self._reaction_ms = (self._line.clock() - now) * 1000
        self._barge.begin(now, turn_id)
        return True

    def interrupted(self, now: float) -> bool:
        """The provider dropped the rest of its answer; return whether that is in doubt.

        One that is told turns drops it for the turn that it was asked to write down.
        """
        if self.open and self._seat.capabilities.turns is p.Turns.OURS:
            self._drop_kept()
            return True
        return self._floor.interrupts and self.begin(now)

    # --- what is known by and by ----------------------------------------------------------------

    def keeps(self, event: p.ProviderEvent) -> bool:
        """Whether this is of an answer that may not be wanted: it is kept, and lost with it."""
        if not self.open or isinstance(event, _OF_THE_CALLER):
            return False
        if isinstance(event, p.Transcript) and event.speaker is Speaker.CALLER:
            return False
        if self.kept is None:
            if not isinstance(event, p.ResponseStarted) or self._floor.wanted or self._floor.due:
                return False
            if self._floor.interrupts:  # it has heard a turn, and answers it
                self._settle(Verdict.INTERRUPTION, self._line.clock())
                return False
            self.kept = []
        if len(self.kept) < MAX_KEPT:
            self.kept.append(event)
        return True

    def stopped(self, event: p.CallerStopped, now: float) -> bool:
        """The provider has heard the end of a turn; False: it is a turn like any other."""
        if event.item_id and event.item_id == self.dismissed:
            return True
        if not self.open:
            return False
        self._take(self._barge.stopped(now, expects_answer=event.expects_answer), now)
        return True

    def words(self, turn_id: str, text: str, now: float, *, whole: bool = True) -> None:
        """What the caller said, or has said so far."""
        if self.open and self._barge.turn_id in ("", turn_id):
            if self._barge.asked_at is not None and whole:
                self._barge.turn_id = turn_id
            much_left = self._floor.due or self._line.downlink.waiting_ms >= LEFT_MS
            self._take(self._barge.words(text, much_left=much_left, whole=whole), now)

    def hint(self, event: p.CallerWords, now: float) -> None:
        """Words of a turn that goes on."""
        self.words(event.item_id, event.text, now, whole=False)

    def was_wrong(self, turn_id: str, text: str, now: float) -> bool:
        """The agent went on, and now the words come that it should have been silent for."""
        return not self.open and self._barge.was_wrong(turn_id, text, now)

    def answered_late(self, now: float) -> Verdict | None:
        """An answer begins that nobody waits for, to what the agent went on after: return that."""
        after, self._went_on = self._went_on, None
        lately = after is not None and now - after[1] < ANSWERED_LATE_S
        told = after is not None and after[2]  # it answers that, whether or not anybody speaks
        awaited = self._floor.wanted or self._floor.due or not (self._floor.playing or told)
        return after[0] if after is not None and lately and not awaited else None

    def look(self, now: float, state: SessionState) -> None:
        """To be called with each frame of the caller's while the agent is silent in doubt."""
        if not self.open:
            return
        if not self._seat.ready or state is not SessionState.TALKING:
            self._take(Verdict.NOISE, now)
            return
        ear, can = self._line.ear, self._seat.capabilities
        if self._line.echo.explains_all(now):
            self._take(Verdict.ECHO, now)
            return
        heard = Heard(ear.loud_ms, ear.quiet_ms, ear.voiced_ms, can.writes, can.turns)
        verdict = self._barge.look(now, heard)
        if verdict is not Verdict.OPEN:
            self._take(verdict, now)
        if can.turns is p.Turns.OURS and can.writes and self.open and self._barge.must_ask:
            self._barge.asked_at = now
            self._seat.begin_turn()
            self._seat.end_turn(answer=False)

    # --- the end --------------------------------------------------------------------------------

    def drop(self) -> tuple[str, ...]:
        """It does not matter any more; returns the items of an answer that was begun meanwhile."""
        return self._forget() if self.open else ()

    def _take(self, verdict: Verdict, now: float) -> None:
        if verdict is not Verdict.OPEN and self._barge.doubtful:
            self._settle(verdict, now)

    def _settle(self, verdict: Verdict, now: float) -> None:
        barge = self._barge
        began_at, stopped_at = barge.began_at or now, barge.stopped_at
        asked_at, kept = barge.asked_at, tuple(self.kept or ())
        if asked_at is None and self._seat.capabilities.turns is p.Turns.OURS:
            kept = ()  # it answers what was said before the caller went on
        barge.end(now, verdict)
        unheard = self._forget()
        if verdict is not Verdict.INTERRUPTION:
            self.dismissed, self._went_on = barge.turn_id, (verdict, now, asked_at is not None)
        settled = Settled(
            verdict,
            barge.turn_id,
            began_at,
            stopped_at,
            self._reaction_ms,
            asked_at,
            kept,
            unheard,
        )
        self._on_settled(settled, now)

    def _forget(self) -> tuple[str, ...]:
        self._barge.began_at = None
        return self._drop_kept()

    def _drop_kept(self) -> tuple[str, ...]:
        kept, self.kept = self.kept or [], None
        for event in kept:
            if isinstance(event, p.ResponseStarted):
                self._floor.ignore(event.response_id)
        items = (event.item_id for event in kept if isinstance(event, p.Audio))
        return tuple(dict.fromkeys(self._seat.prefix + item_id for item_id in items))
