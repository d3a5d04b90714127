"""Sees that what is due to the caller is given, whatever the provider does.

A wait is covered with words; an answer that failed, had no sound or does not come is asked for
again, then from another provider, which is told what was said so far.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable

from bridge.ports import SessionListener, SetPhrase
from bridge.providers import base as p
from bridge.providers.conversation import Opening, Ran, Said, Speaker
from bridge.session.config import SessionConfig
from bridge.session.connection import Start
from bridge.session.deaf import DeafWatch, Unheard
from bridge.session.floor import Floor
from bridge.session.floor_states import FloorState
from bridge.session.life_sign import LifeAction, LifeSign
from bridge.session.line import Line
from bridge.session.provider import ProviderSeat
from bridge.session.retries import HOPELESS, Retries
from bridge.session.states import SessionState
from bridge.session.transcript import Transcript
from bridge.session.waiting import AnswerLate, Wait

_log = logging.getLogger("bridge.session.answering")

REPLAY_TAKEN_S = 2.0
"""Until a provider that was given the caller's words anew must have noticed them."""
TURN_QUIET_S = 3.0
"""Our ear hears nothing for so long: a turn whose end the provider does not tell is over."""
MUTE_QUIET_S = 1.5
"""The same where the provider has sent nothing at all since."""
MAX_CONTINUED = 3
"""Answers in a row that a limit of the provider broke off, and that it was let go on with."""
GREETING = "greeting"
GO_ON = (
    "[The line was interrupted for a moment: the caller did not hear the end of what you said "
    "last. Say that end again, without beginning anew.]"
)
"""What a provider is told that takes over in the middle of an answer."""


class Answering:
    """What one session owes its caller. `now` is monotonic seconds."""

    def __init__(
        self,
        config: SessionConfig,
        seat: ProviderSeat,
        floor: Floor,
        line: Line,
        transcript: Transcript,
        listener: SessionListener,
        phrase: Callable[[SetPhrase], None],
    ) -> None:
        self.greeted = False
        """The caller has heard the agent."""
        self._config = config
        self._seat = seat
        self._floor = floor
        self._line = line
        self._transcript = transcript
        self._listener = listener
        self._phrase = phrase
        self._wait = Wait(replace_s=config.answer_limit_s)
        self._waited = False
        self.progress = self._wait.progress
        """Audio came, or a function was called. The hot path."""
        self._retries = Retries()
        self._life = LifeSign()
        self._deaf = DeafWatch()
        self._tokens = itertools.count(1)
        self._opening = Opening.LISTEN
        self._words: tuple[str, str] | None = None
        """Token and text of what the agent was asked to say and nobody has heard yet."""
        self._words_response: str | None = None
        self._continued = 0
        self._ask_at: float | None = None
        """When a provider that limits us is asked again."""
        self._replay_until: float | None = None
        """By when the caller's words, sent again, must have been noticed."""
        self._turn_at = 0.0
        self._messages_at = 0
        """Messages that had come when our ear heard a voice begin or end."""

    # --- asking ---------------------------------------------------------------------------------

    def say(self, text: str) -> str:
        """Have the agent say exactly this; return the token its response will bear."""
        token = f"say-{next(self._tokens)}"
        self._order_words(token, text)
        return token

    def _order_words(self, token: str, text: str) -> None:
        self._words, self._words_response = (token, text), None
        self._floor.asked()
        self._wait.progress()
        self._seat.say(text, token)

    def ask(self) -> None:
        """Ask for an answer to what the conversation holds."""
        self._floor.asked()
        self._wait.progress()
        self._seat.answer()

    def _ask_again(self) -> None:
        self._ask_at = None
        if self._words is not None and self._seat.capabilities.speaks_text:
            self._order_words(*self._words)
        else:
            self.ask()

    # --- the caller -----------------------------------------------------------------------------

    @property
    def replaying(self) -> bool:
        """The provider was given the caller's words anew, and has not noticed them yet."""
        return self._replay_until is not None

    def caller_started(self, now: float) -> None:
        """The provider hears the caller, or our ear does for it."""
        self._replay_until = self._ask_at = None
        self._turn_at = now
        self._continued = 0
        self._line.uplink.turn_began()

    def interrupted(self) -> None:
        """What was asked for is no longer wanted."""
        self._words = self._ask_at = None

    def voice_changed(self, now: float) -> None:
        """Should the provider notice? Not a voice it has heard begin before we did."""
        ear = self._line.ear
        known = self._floor.state is FloorState.CALLER_SPEAKING and ear.active
        if self._seat.ready and self._seat.capabilities.notices_within_s is None:
            self._messages_at = self._seat.messages_in
            if not ear.active:
                self._deaf.voice_ended(ear.changed_at)
            elif not self._floor.playing:  # else it may be right to go on
                self._line.uplink.turn_began()
                self._deaf.voice_began(ear.changed_at, self._seat.events_in)
        elif self._seat.ready and not known:
            self._life.notices_within_s = self._seat.capabilities.notices_within_s
            self._life.voice_changed(now, self._seat.messages_in)

    def transcribed(self, speaker: Speaker) -> None:
        """What is in the transcript goes along to the next provider."""
        speaking = self._floor.state is FloorState.CALLER_SPEAKING
        if speaker is Speaker.CALLER and not speaking:
            self._line.uplink.turn_over()

    # --- answers --------------------------------------------------------------------------------

    def response_started(self, response_id: str, token: str) -> None:
        """The provider has the caller's turn; that it answers it is to be heard yet."""
        self._replay_until = self._ask_at = None
        self._wait.progress()
        if self._words is not None and token in ("", self._words[0]):
            self._words_response = response_id

    def heard(self, response_id: str | None) -> None:
        """The answer under way has sound."""
        self.greeted = True
        self._retries.heard()
        self._wait.answered()
        self._line.uplink.turn_over()
        self._seat.heard()
        if response_id == self._words_response:
            self._words = None

    def response_done(self, event: p.ResponseDone, *, heard: bool, now: float) -> None:
        """Ask once more for one that nobody can hear, or that was broken off by the provider."""
        if heard:
            self._wait.answered()
            self._line.uplink.turn_over()
        if heard and event.response_id == self._words_response:
            self._words = None
        if event.status == "incomplete":
            _log.warning("answer broken off by the provider: %s", event.reason[:100])
        if not heard and event.status != "cancelled":
            self.failed(event.error_kind or p.ErrorKind.SERVER, event.reason, now, event.retry_in_s)
        elif event.status == "incomplete":
            self._go_on(event.reason)

    def _go_on(self, reason: str) -> None:
        self._continued += 1
        if self._continued > MAX_CONTINUED:
            return
        if "filter" in reason:
            self._phrase(SetPhrase.SAY_AGAIN)
        else:
            self.ask()

    def failed(
        self, kind: p.ErrorKind, reason: str, now: float, retry_in_s: float | None = None
    ) -> None:
        """The caller got nothing: ask again, now or later, or somebody else."""
        self._wait.fault()
        after_s = self._retries.failed(kind, retry_in_s, alternatives=self._seat.alternatives)
        if after_s is None:
            self._give_up(kind, "response_failed", reason, retry_in_s)
        elif after_s:
            self._ask_at = now + after_s
        else:
            self._ask_again()

    def withheld(self) -> None:
        """The answer under way is silence so far, or has become silence."""
        self._wait.fault()

    def fell_silent(self) -> None:
        """An answer that began well went on as silence: have it gone on with, once."""
        self._continued += 1
        if self._continued > 1:
            self._give_up(p.ErrorKind.SERVER, "no_sound", "silence in the middle of an answer")
        else:
            self.ask()

    # --- time -----------------------------------------------------------------------------------

    def look(self, now: float, state: SessionState) -> bool:
        """Cover a long wait, and end one that is too long; False when there is nobody to ask."""
        if not self._line.open:
            return True  # it still rings
        if state is SessionState.TALKING:
            if self._life.due is not None:
                self._look_for_life(now)
            if self._deaf.ended_at is not None:
                self._look_for_ears(now)
            self._look_at_requests(now)
        away = state is SessionState.WAITING
        waits = self._floor.due or away or self._replay_until is not None
        if not waits and not self._waited:
            return True
        self._waited, closing = waits, state is SessionState.CLOSING
        late = self._look_at_wait(now, away=away)
        if late is AnswerLate.REPLACE and not closing:
            detail = f"{self._config.answer_limit_s} s"
            self._give_up(p.ErrorKind.SERVER, "no_answer", detail)
        elif late is AnswerLate.COVER and not closing:
            self._listener.answer_late()
        return not (late is AnswerLate.REPLACE and closing)

    def longest_wait_s(self) -> float:
        """The longest silence in which something was due to the caller."""
        return self._wait.longest_s

    def _look_at_wait(self, now: float, *, away: bool) -> AnswerLate | None:
        config, floor = self._config, self._floor
        waits_for_us = bool(floor.functions) or self._ask_at is not None
        unheard = (away or self.replaying) and not self._line.ear.active
        return self._wait.look(
            now,
            silent=self._line.idle(now) and (floor.due or unheard),
            provider_owes=floor.due and not away and not waits_for_us,
            cover_s=config.function_cover_s if floor.functions else config.answer_cover_s,
        )

    def _look_at_requests(self, now: float) -> None:
        if self._ask_at is not None and now >= self._ask_at:
            self._ask_again()
        if self._replay_until is not None and now >= self._replay_until:
            self._line.uplink.turn_over()
            if self._floor.due:
                self._make_up()
            else:
                self._apologise()

    def turn_has_faded(self, now: float) -> bool:
        """A turn of the caller's whose end nobody told is over: the line has long been silent."""
        if self._floor.state is not FloorState.CALLER_SPEAKING:
            return False
        quiet_s = min(now - self._turn_at, self._line.ear.quiet_s(now))
        mute = quiet_s >= MUTE_QUIET_S and self._is_mute()
        if not mute and quiet_s < TURN_QUIET_S:
            return False
        self._floor.caller_stopped(now, expects_answer=False)
        if self._seat.capabilities.notices_within_s is not None:
            self._seat.probe()
        last = self._transcript.last()
        if isinstance(last, Said) and last.speaker is Speaker.CALLER:
            self.ask()  # what was said is known, only its end was not
        elif mute:
            self._listener.phrase_due(SetPhrase.SAY_AGAIN)
        return True

    def _is_mute(self) -> bool:
        """It has sent nothing since the voice ended, and need not (`notices_within_s`)."""
        watched = self._seat.capabilities.notices_within_s is None and self._seat.ready
        return watched and self._messages_at == self._seat.messages_in

    def _look_for_life(self, now: float) -> None:
        """A provider that does not notice the caller is replaced; the next hears what was said."""
        action = self._life.look(now, self._seat.messages_in)
        if action is LifeAction.ASK:
            self._line.uplink.turn_began()
            self._seat.probe()
        elif action is LifeAction.LATE and not self._line.ear.active and self._line.idle(now):
            self._listener.answer_late()
        elif action is LifeAction.ALIVE and self._floor.state not in _THE_CALLERS:
            self._line.uplink.turn_over()
        elif action is LifeAction.DEAD:
            if not self._line.ear.active:
                self._floor.caller_stopped(now)
            self._give_up(p.ErrorKind.SERVER, "no_sign_of_life", "the caller spoke")

    def _look_for_ears(self, now: float) -> None:
        """A provider that says nothing about what the caller said, twice, is replaced."""
        unheard = self._deaf.look(now, self._seat.events_in)
        if unheard is Unheard.ASK_AGAIN and self._floor.state is FloorState.LISTENING:
            self._listener.phrase_due(SetPhrase.SAY_AGAIN)
        elif unheard is Unheard.REPLACE:
            self._listener.answer_late()
            self._give_up(p.ErrorKind.SERVER, "deaf", "the caller spoke twice")

    # --- providers ------------------------------------------------------------------------------

    def start(self) -> Start:
        """What the next provider begins with."""
        history, brief = self._history(), self._config.brief
        self._opening = Opening.LISTEN
        if history and self._words is not None and self._words[0] == GREETING:
            self._words = None  # the caller began
        if brief.greeting and not self.greeted and not history:
            self._opening = Opening.GREET
            self._words, self._words_response = (GREETING, brief.greeting), None
        elif self._can_be_answered(history):
            self._opening = Opening.ANSWER
        return Start(self._opening, history, GREETING)

    def _can_be_answered(self, history: list[Said | Ran]) -> bool:
        if not self._floor.due or self._line.uplink.in_turn or self._words or not history:
            return False
        if self._floor.functions:
            return False
        last = history[-1]
        return isinstance(last, Ran) or last.speaker is Speaker.CALLER

    def _history(self) -> list[Said | Ran]:
        return [*self._config.history, *self._transcript.history()]

    def provider_lost(self, now: float) -> None:
        """Another is being connected; what is queued is still heard."""
        self._replay_until = self._ask_at = None
        self._line.uplink.listener_lost()
        if not self._line.open and self._floor.response_active:
            self._line.cut(now)  # half a greeting that nobody has heard
        self._floor.provider_lost()
        self._line.downlink.complete(now)
        if self._floor.due and self._line.open and self._line.idle(now):
            self._listener.answer_late()
        elif self._floor.due:
            self._wait.fault()

    def provider_ready(self, now: float) -> None:
        """Have the provider that is new here give what is due."""
        self._retries.heard()
        self._life.forget()
        self._deaf.forget()
        self._wait.progress()
        opening, self._opening = self._opening, Opening.LISTEN
        if opening is not Opening.LISTEN:
            self._floor.asked()
        elif self._line.uplink.in_turn:
            self._replay_until = now + REPLAY_TAKEN_S
        elif self._floor.due and not self._floor.functions:
            if self._words is not None:
                self._ask_again()
            else:
                self._make_up()

    def _make_up(self) -> None:
        """Have given what was due when the last provider went."""
        self._replay_until = None
        last = self._transcript.last()
        if last is None:
            self._apologise()
        elif isinstance(last, Ran) or last.speaker is Speaker.CALLER:
            self.ask()
        else:
            self._floor.asked()
            self._seat.inform(GO_ON, respond=True)

    def _apologise(self) -> None:
        self._replay_until = None
        self._phrase(SetPhrase.SAY_AGAIN)

    def _give_up(
        self, kind: p.ErrorKind, code: str, detail: str, retry_in_s: float | None = None
    ) -> None:
        again = kind not in HOPELESS
        self._seat.give_up(p.ProviderFailure(kind, code, detail, True, again, retry_in_s))


_THE_CALLERS = (FloorState.CALLER_SPEAKING, FloorState.THINKING)
"""The provider has a turn of the caller's to hear or to answer."""
