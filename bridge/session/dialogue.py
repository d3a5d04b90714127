"""What happens between caller and agent: turns, answers, interruptions, functions, words.

It takes the provider's events and what our own ear and the playout tell, moves the floor, and has
everybody told who must know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.ports import SessionListener, Utterance
from bridge.providers import base as p
from bridge.providers.conversation import Speaker
from bridge.session.answering import GREETING, Answering
from bridge.session.barge_in import Verdict
from bridge.session.comfort import Comfort
from bridge.session.config import SessionConfig
from bridge.session.cutting import Cutting
from bridge.session.doubt import Doubt, Settled
from bridge.session.downlink import ItemHeard
from bridge.session.echo import EchoGuard
from bridge.session.floor import Floor
from bridge.session.floor_states import FloorState
from bridge.session.functions import Functions
from bridge.session.last_words import LastWords
from bridge.session.line import Line
from bridge.session.own_turns import OwnTurns
from bridge.session.provider import ProviderSeat
from bridge.session.silence import SilenceWatch
from bridge.session.states import SessionState
from bridge.session.transcript import Transcript

_HEARD = (SessionState.TALKING, SessionState.WAITING)
"""What the caller says counts; while a provider is missing it is kept for the next."""


class Dialogue:
    """One conversation's turns. `now` is monotonic seconds."""

    def __init__(
        self,
        config: SessionConfig,
        seat: ProviderSeat,
        floor: Floor,
        line: Line,
        transcript: Transcript,
        silence: SilenceWatch,
        answering: Answering,
        last_words: LastWords,
        comfort: Comfort,
        listener: SessionListener,
    ) -> None:
        self.missed = False
        """The agent answered into a hold, and was cut."""
        self._config = config
        self._seat = seat
        self._floor = floor
        self._line = line
        self._transcript = transcript
        self._silence = silence
        self._answering = answering
        self._last_words = last_words
        self._listener = listener
        self._state = SessionState.PREPARING
        self.functions = Functions(config, seat, floor, transcript, silence, answering, listener)
        self._echo = EchoGuard()
        self._cutting = Cutting(seat, floor, line, transcript, answering, self._echo, listener)
        self.cut = self._cutting.cut
        self._comfort = comfort
        self.doubt = Doubt(config, seat, floor, line, self._on_settled)
        self._item_id = self._response_id = ""
        """Of the audio that came last."""
        self._own_turns = OwnTurns(seat, floor, line, answering.ask)
        self.replayed = self._own_turns.replayed
        self._answered_early = False
        """The provider answers a turn of which our ear has not heard the end."""
        self._unanswered = False
        """The caller was heard, or the agent interrupted, since the last answer."""

    # --- provider events ------------------------------------------------------------------------

    def on_event(self, event: p.ProviderEvent, now: float, state: SessionState) -> None:
        """Any event but audio."""
        self._state = state
        handler = _HANDLERS.get(type(event))
        if handler is not None and not self.doubt.keeps(event):
            handler(self, event, now)

    def on_audio(self, event: p.Audio, now: float) -> None:
        """A piece of the agent's voice. The hot path."""
        response_id, downlink, prefix = event.response_id, self._line.downlink, self._seat.prefix
        if self.doubt.kept is not None and self.doubt.keeps(event):
            return
        if not self._floor.audio(response_id, now):
            return
        if response_id != self._response_id:
            self._response_id = response_id
            downlink.begin_answer()
        item_id = prefix + event.item_id if prefix else event.item_id
        if item_id != self._item_id:
            self._item_id = item_id
            self._tell(self._transcript.open(Speaker.AGENT, item_id, now))
        if downlink.play(item_id, event.data, now):
            self._listener.greeting_ready()
        if not downlink.withholding:
            self._answering.progress()

    def _on_response_started(self, event: p.ResponseStarted, now: float) -> None:
        if self._state is SessionState.HELD:
            self.missed = True
            self._floor.ignore(event.response_id)
            self._seat.cut(())
            self._line.downlink.begin(self._floor.broken_off())
            return
        self._comfort.stop(now)
        answered = self.doubt.answered_late(now)
        if answered is not None and self._not_wanted(event, answered, now):
            return
        if event.token == GREETING and not self._config.turns.greeting_barge_in:
            self._insist()
        self._silence.floor_taken()
        hidden = self._seat.capabilities.turns is p.Turns.HIDDEN
        early = hidden and self._floor.state is FloorState.CALLER_SPEAKING
        self._answered_early = early and self._line.ear.active
        if self._unanswered or early:
            self._floor.caller_stopped(self._line.ear.loud_at(now))
        self._unanswered = False
        self._own_turns.answered()
        self._answering.response_started(event.response_id, event.token)
        self._floor.response_started(event.response_id)
        self._response_id = event.response_id
        self._line.downlink.begin_answer()
        self._last_words.response_started(event.response_id, event.token)

    def _not_wanted(self, event: p.ResponseStarted, answered: Verdict, now: float) -> bool:
        """One that decides what interrupts it may know better than our ear what was said."""
        if self._floor.interrupts and answered is not Verdict.BACK_CHANNEL:
            self._cutting.off(self._floor.interrupted(""), now, knows=True)
            return False
        self._floor.ignore(event.response_id)
        if self._floor.interrupts:
            self._seat.cut(())  # of the others, `disregard` has stopped it
        return True

    def _on_response_done(self, event: p.ResponseDone, now: float) -> None:
        sounded, called = self._line.downlink.sounded, self._floor.more_due
        heard = sounded or called or not self._line.open
        heard = heard and event.spoke and event.status != "failed"
        if event.status == "silent":
            heard, self._unanswered = True, False
        if self._floor.response_done(event.response_id, heard=heard):
            self._forget_unheard()
            self._over(event.response_id, now, heard=heard)
            if self._state is not SessionState.HELD:
                self._answering.response_done(event, heard=heard, now=now)
                self._open_if_free(now)

    def _forget_unheard(self) -> None:
        """An answer of silence: neither the next provider nor the row shall take it for said."""
        silent = self._line.downlink.take_withheld()
        if silent:
            self.cut([ItemHeard(silent, 0, 0)])

    def _over(self, response_id: str, now: float, *, heard: bool = True) -> None:
        """All there will be of an answer is here."""
        heard = heard and self._line.downlink.sounded
        self._line.downlink.complete(now)
        self._last_words.response_done(response_id, heard=heard, now=now)

    def _on_caller_started(self, event: p.CallerStarted, now: float) -> None:
        self._tell(self._transcript.open(Speaker.CALLER, event.item_id, now))
        self._caller_started(now, event.item_id)

    def _caller_started(self, now: float, turn_id: str = "") -> None:
        if self._state in (SessionState.CLOSING, SessionState.HELD):
            return
        self._comfort.stop(now)
        of_old = self._answering.replaying and not self._line.ear.active
        self._silence.caller_active()
        self._answering.caller_started(now)
        if not of_old:  # what the caller said before does not interrupt what he hears now
            self._interrupt(now, turn_id)

    def _interrupt(self, now: float, turn_id: str = "", *, told: bool = True) -> None:
        """The caller takes the floor; a provider that gives and owes nothing need not know."""
        doubtful = self.doubt.open or not self._floor.interrupts
        if told and doubtful and self.doubt.begin(now, turn_id):
            return
        theirs, unheard = self._floor.wanted, self.doubt.drop()
        generation = self._floor.caller_started(now, told=told)
        self._cutting.off(generation, now, theirs=theirs, unheard=unheard)

    def _on_caller_stopped(self, event: p.CallerStopped, now: float) -> None:
        self._transcript.open(Speaker.CALLER, event.item_id, now)
        if self.doubt.stopped(event, now):
            return
        if self._state not in (SessionState.CLOSING, SessionState.HELD):
            self._floor.caller_stopped(now, expects_answer=event.expects_answer)
            self._open_if_free(now)

    def _on_interrupted(self, event: p.Interrupted, now: float) -> None:
        if self._state is SessionState.CLOSING or not self._floor.barge_in:
            if self._floor.dropped(event.response_id):  # what is here must be heard
                self._over(event.response_id, now)
            return
        if self.doubt.interrupted(now):
            if self._floor.dropped(event.response_id):
                self._over(event.response_id, now)
            return
        generation = self._floor.interrupted(event.response_id)
        self._unanswered = self._unanswered or generation is not None
        self._cutting.off(generation, now)

    def _on_transcript(self, event: p.Transcript, now: float) -> None:
        told = self._transcript.add(
            event.speaker, event.item_id, event.text, now, after=event.after
        )
        self._tell(told)
        if event.speaker is Speaker.CALLER:
            self._on_words(event, now)
        self._answering.transcribed(event.speaker)

    def _on_words(self, event: p.Transcript, now: float) -> None:
        if self.doubt.was_wrong(event.item_id, event.text, now):
            self._interrupt(now, told=False)
            self._take_text(event.text, now)
        else:
            self.doubt.words(event.item_id, event.text, now)
            self._take_as_turn(now)

    def _take_as_turn(self, now: float) -> None:
        """A provider that tells no turns has heard one, and will answer it."""
        hidden = self._seat.capabilities.turns is not p.Turns.TOLD
        free = self._floor.state in (FloorState.LISTENING, FloorState.CALLER_SPEAKING)
        if hidden and free and self._unanswered and not self._line.ear.active:
            self._floor.caller_stopped(now)

    # --- our own ear ----------------------------------------------------------------------------

    def on_voice(self, now: float, state: SessionState) -> None:
        """The caller's voice has begun or ended, by its level."""
        self._state = state
        turns, active = self._seat.capabilities.turns, self._line.ear.active
        self._answering.voice_changed(now)
        if state not in _HEARD or turns is p.Turns.TOLD:
            return
        if turns is p.Turns.OURS:
            self._find_turn(active, now)
        elif active:
            self._answered_early = False
            self._caller_started(now)
        else:
            self._unanswered = not self._answered_early
            self._floor.caller_stopped(now, expects_answer=False)
            self._open_if_free(now)

    def _find_turn(self, active: bool, now: float) -> None:
        floor = self._floor
        if active and (floor.barge_in or not (floor.due or floor.playing)):
            self._caller_started(now)
            if not self.doubt.open:
                self._own_turns.begin()
        elif not active and self._own_turns.begun:
            self._own_turns.end(self._line.ear.changed_at)

    def _open_if_free(self, now: float) -> None:
        if self._floor.state is FloorState.LISTENING and self._line.idle(now):
            self._silence.floor_open(now)

    def digits(self, digits: str, now: float) -> None:
        """Keys pressed: a turn of the caller's in words."""
        self._interrupt(now, told=False)
        self._take_text(f"[The caller pressed on the keypad: {' '.join(digits)}]", now)
        self._tell(self._transcript.add(Speaker.CALLER, "", f"[{digits}]", now))

    def _take_text(self, text: str, now: float) -> None:
        self._floor.caller_stopped(now)
        self._floor.asked()
        self._answering.progress()
        self._seat.send_text(text)

    # --- interruptions --------------------------------------------------------------------------

    def look(self, now: float, state: SessionState) -> None:
        """To be called with each frame of the caller's while the agent is silent in doubt."""
        self.doubt.look(now, state)

    def _on_settled(self, settled: Settled, now: float) -> None:
        """It is known what silenced the agent."""
        if settled.verdict is Verdict.INTERRUPTION:
            self._confirmed(settled, now)
            return
        if self._seat.capabilities.turns is p.Turns.TOLD or settled.turn_id:
            self._seat.disregard(settled.turn_id, settled.unheard, words=settled.said)
        self._line.resume(self._floor.resumed(), now)
        self._line.uplink.turn_over()
        self._listener.resumed(settled.verdict.value, (now - settled.began_at) * 1000)

    def _confirmed(self, settled: Settled, now: float) -> None:
        """A provider that answers by itself could not, or answered what it should not have yet."""
        floor, turns = self._floor, self._seat.capabilities.turns
        theirs = floor.wanted or settled.answered
        self._cutting.off(
            floor.caller_started(now, told=False),
            now,
            theirs=theirs,
            knows=floor.interrupts or (settled.answered and turns is p.Turns.OURS),
            unheard=settled.unheard,
            reaction_ms=settled.reaction_ms,
        )
        if turns is p.Turns.HIDDEN:
            self._unanswered = True
        elif turns is p.Turns.OURS:
            stopped_at = settled.stopped_at or now
            self._own_turns.confirmed(settled.asked_at, stopped_at, answered=settled.answered)
            for event in settled.kept:
                self.on_event(event, now, self._state)
        elif settled.stopped_at is not None:
            floor.caller_stopped(settled.stopped_at)
            self._answering.ask()

    # --- the playout ----------------------------------------------------------------------------

    def on_first_frame(self, now: float, playout_ms: int) -> None:
        """The caller begins to hear an answer."""
        self._echo.answer_began(now)
        latency = self._floor.first_frame_sent(
            now, network_ms=self._seat.round_trip_ms, playout_ms=playout_ms
        )
        self._listener.first_audio_sent()
        if latency is not None:
            self._listener.turn_answered(latency)

    def on_sound(self, now: float) -> None:
        """The answer can be heard."""
        self._answering.heard(self._floor.response_id)
        if self._echo.suspected:
            self._insist()

    def _insist(self) -> None:
        """What is said now is heard to its end, whatever the caller's line brings."""
        self._line.uplink.muted = self._echo.suspected or self._floor.interrupts
        self._floor.barge_in = False

    def on_soundless(self, now: float) -> None:
        """The answer is nothing but silence, or has become so."""
        if not self._floor.response_active:
            return
        if self._line.downlink.sounded:
            self._fell_silent(now)
            return
        generation = self._floor.unheard()
        self.cut(self._line.cut(now))
        self._line.downlink.begin(generation)
        self._answering.failed(p.ErrorKind.SERVER, "no sound", now)

    def _fell_silent(self, now: float) -> None:
        """What came of the answer stands; the rest of it is asked for."""
        newest = self._line.downlink.newest
        self._floor.enough()
        self.cut([newest] if newest.item_id else [])
        self._line.downlink.complete(now)
        self._answering.fell_silent()

    def on_full(self, item_id: str, kept_ms: int, now: float) -> None:
        """Nothing more of this answer can be kept: it ends here, for the provider too."""
        if self._floor.response_active:
            self._floor.enough()
            self.cut([ItemHeard(item_id, kept_ms, kept_ms)])
            self._line.downlink.complete(now)

    def on_drained(self, now: float) -> None:
        """All that was finished has been heard."""
        self._floor.drained()
        self._echo.answer_over()
        self._line.uplink.muted = False
        self._floor.barge_in = self._config.barge_in

    def _tell(self, utterance: Utterance | None) -> None:
        if utterance is not None:
            self._listener.uttered(utterance)


_HANDLERS: dict[type, Callable[[Dialogue, Any, float], None]] = {
    p.Audio: Dialogue.on_audio,
    p.ResponseStarted: Dialogue._on_response_started,
    p.ResponseDone: Dialogue._on_response_done,
    p.CallerStarted: Dialogue._on_caller_started,
    p.CallerStopped: Dialogue._on_caller_stopped,
    p.CallerWords: lambda it, event, now: it.doubt.hint(event, now),
    p.Interrupted: Dialogue._on_interrupted,
    p.Transcript: Dialogue._on_transcript,
    p.FunctionCall: lambda dialogue, event, now: dialogue.functions.called(event, now),
    p.FunctionCancelled: lambda dialogue, event, now: dialogue.functions.cancelled(event),
    p.ProviderFailure: lambda it, e, _: it._listener.provider_trouble(e.kind, e.code, e.message),
}
