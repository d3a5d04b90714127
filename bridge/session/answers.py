"""Sees that every turn of the caller is answered, whatever the provider does.

A wait is covered with words; an answer that failed or does not come is asked for again, then from
another provider, which is told what was said so far.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.ports import SessionListener
from bridge.providers import base as p
from bridge.session.answer_watch import AnswerLate, AnswerWatch
from bridge.session.config import SessionConfig
from bridge.session.life_sign import LifeAction, LifeSign
from bridge.session.provider import ProviderSeat
from bridge.session.states import SessionState
from bridge.session.transcript import Transcript
from bridge.session.turn import TurnKeeper
from bridge.session.turn_states import TurnState
from bridge.session.uplink import Uplink
from bridge.session.voice import Voice

MAX_FAILED_RESPONSES = 1
"""In a row, from one provider."""
REPLAY_TAKEN_S = 2.0
"""Until a provider that was given the caller's words anew must have noticed them."""
_HOPELESS = (p.ErrorKind.QUOTA, p.ErrorKind.AUTHENTICATION)
"""Why a provider fails for good, as far as this call is concerned."""

_NOT_THE_CALLERS = (TurnState.LISTENING, TurnState.SPEAKING, TurnState.DRAINING)
"""The provider has no turn of the caller's to answer."""


class Answers:
    """What one session owes its caller. `now` is monotonic seconds."""

    def __init__(
        self,
        config: SessionConfig,
        seat: ProviderSeat,
        turns: TurnKeeper,
        voice: Voice,
        transcript: Transcript,
        listener: SessionListener,
        uplink: Uplink,
        *,
        say: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._seat = seat
        self._turns = turns
        self._voice = voice
        self._transcript = transcript
        self._listener = listener
        self._uplink = uplink
        self._say = say
        self._watch = AnswerWatch(replace_s=config.answer_limit_s)
        self._life = LifeSign()
        self._clock = clock
        uplink.on_voice = self._voice_changed
        self._functions_running = 0
        self._lost = False
        """The provider went while an answer was owed."""
        self._failed = 0
        """Responses in a row."""
        self._replay_until: float | None = None
        """By when the caller's words, sent again, must have been noticed."""

    def speech_started(self) -> None:
        """The provider hears the caller."""
        self._replay_until = None
        self._uplink.turn_began()

    def response_started(self) -> None:
        """The provider has the caller's turn and answers it."""
        self._replay_until = None
        self._uplink.turn_over()

    def transcribed(self, speaker: p.Speaker) -> None:
        """What is in the transcript goes along to the next provider."""
        speaking = self._turns.state is TurnState.CALLER_SPEAKING
        if speaker is p.Speaker.CALLER and not speaking:
            self._uplink.turn_over()

    def function_called(self) -> None:
        """The wait is ours now, not the provider's."""
        self._functions_running += 1

    def function_answered(self, call_id: str, output: str, now: float) -> None:
        """Give the provider the result; it goes on when it has all results of its answer."""
        self._functions_running = max(0, self._functions_running - 1)
        self._turns.response_awaited(now)
        self._seat.protocol.send_function_result(call_id, output)
        self._seat.protocol.request_response()

    def look(self, now: float, state: SessionState) -> bool:
        """Cover a long wait, and end one that is too long; False when there is nobody to ask."""
        turns, quiet = self._turns, self._voice.idle(now)
        if self._voice.playout is None:
            return True  # it still rings
        if state is SessionState.TALKING:
            self._look_for_life(now)
        turns.answer_owed |= quiet and turns.response_active  # it stopped half-way
        away = state is SessionState.WAITING
        config, functions = self._config, self._functions_running
        late = self._watch.look(
            now,
            waiting=quiet and (turns.answer_owed or away),
            owed=turns.answer_owed and not away and not functions,
            cover_s=config.function_cover_s if functions else config.answer_cover_s,
        )
        if self._replay_until is not None and now >= self._replay_until and not away:
            self._uplink.turn_over()
            self._ask_again()
        closing = state is SessionState.CLOSING
        if late is AnswerLate.REPLACE and not closing:
            self._give_up(p.ErrorKind.SERVER, "no_answer", self._config.answer_limit_s)
        elif late is AnswerLate.COVER and not closing:
            self._listener.answer_late()
        return not (late is AnswerLate.REPLACE and closing)

    def _voice_changed(self) -> None:
        """Should the provider notice? Not a voice it has heard begin before we did."""
        voice, speaking = self._uplink.voice, self._turns.state is TurnState.CALLER_SPEAKING
        known = speaking and voice is not None and voice.active
        if self._seat.ready and not known:
            self._life.voice_changed(self._clock(), self._seat.messages_in)

    def _look_for_life(self, now: float) -> None:
        """A provider that does not notice the caller is replaced; the next hears what was said."""
        action = self._life.look(now, self._seat.messages_in)
        if action is LifeAction.ASK:
            self._uplink.turn_began()
            self._seat.protocol.ask_for_life()
            self._seat.flush()
        elif action is LifeAction.ALIVE and self._turns.state in _NOT_THE_CALLERS:
            self._uplink.turn_over()
        elif action is LifeAction.DEAD:
            voice = self._uplink.voice
            self._turns.answer_owed |= voice is None or not voice.active
            self._give_up(p.ErrorKind.SERVER, "no_sign_of_life", "the caller spoke")

    def response_done(self, event: p.ResponseDone, now: float) -> None:
        """Ask once more for one that failed; then, or where that is of no use, somebody else."""
        if event.status != "failed":
            self._failed = 0
            return
        kind = event.error_kind or p.ErrorKind.SERVER
        self._failed += 1
        if kind in _HOPELESS or self._failed > MAX_FAILED_RESPONSES:
            self._give_up(kind, "response_failed", event.reason)
        else:
            self._turns.response_awaited(now)
            self._seat.protocol.request_response()

    def provider_lost(self, now: float) -> None:
        """Another is being connected; what is queued is still heard."""
        awaited = self._turns.answer_owed or self._turns.response_active
        self._lost = self._lost or awaited
        self._replay_until = None
        self._life.forget()
        self._uplink.listener_lost()
        self._turns.provider_lost(now)
        self._voice.complete(now)
        if awaited:
            self._listener.answer_late()

    def provider_ready(self, now: float) -> None:
        """Have the provider that is new here say what is owed."""
        self._failed = 0
        protocol = self._seat.protocol
        cancels = protocol.capabilities.cancels_on_speech
        self._turns.provider_lost(now, provider_cancels=cancels)
        said = self._transcript.utterances
        lost, self._lost = self._lost, False
        if not said and self._config.options.greeting:
            self._turns.response_awaited(now)  # the seat asks for it
        elif self._uplink.in_turn:
            self._replay_until = now + REPLAY_TAKEN_S
        elif said and said[-1].speaker is p.Speaker.CALLER:
            self._turns.response_awaited(now)
            protocol.request_response()
        elif lost:
            self._ask_again()

    def _ask_again(self) -> None:
        self._replay_until = None
        self._say(self._config.phrases.say_again)

    def _give_up(self, kind: p.ErrorKind, code: str, detail: object) -> None:
        again = kind not in _HOPELESS
        self._seat.give_up(p.ProviderFailure(kind, code, str(detail), True, retryable=again))
