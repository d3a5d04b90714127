"""What becomes of a conversation in which nothing happens: silence, set phrases, faded turns."""

from __future__ import annotations

from dataclasses import replace

from bridge.ports import EndCause, SessionListener, SetPhrase
from bridge.session.answering import Answering
from bridge.session.closing import PHRASE_WAIT_S
from bridge.session.comfort import Comfort
from bridge.session.config import SessionConfig
from bridge.session.connection import Moment
from bridge.session.floor import Floor
from bridge.session.floor_states import FloorState
from bridge.session.line import Line
from bridge.session.phrases import Phrases
from bridge.session.provider import ProviderSeat
from bridge.session.silence import SilenceAction, SilenceWatch
from bridge.session.states import SessionState


class Minding:
    """Minds one conversation's silences. `now` is monotonic seconds."""

    def __init__(
        self,
        config: SessionConfig,
        seat: ProviderSeat,
        floor: Floor,
        line: Line,
        silence: SilenceWatch,
        answering: Answering,
        comfort: Comfort,
        listener: SessionListener,
    ) -> None:
        self._config = config
        self._seat = seat
        self._floor = floor
        self._line = line
        self._silence = silence
        self._answering = answering
        self._comfort = comfort
        self._listener = listener
        self._phrase_until: float | None = None
        """By when the call must have begun to play what it was asked to."""

    def change_language(self, language: str, phrases: Phrases) -> None:
        """Set phrases, and whoever serves next, go on in another language."""
        self._config.phrases.change_to(phrases)
        self._seat.brief = replace(self._seat.brief, language=language)

    def phrase(self, phrase: SetPhrase) -> None:
        """Have a set phrase said by the agent, or played by the call where it cannot."""
        self._silence.floor_taken()
        if self._seat.capabilities.speaks_text:
            self._answering.say(self._config.phrases.text(phrase))
            return
        self._floor.settled()
        self._phrase_until = self._line.clock() + PHRASE_WAIT_S
        self._listener.phrase_due(phrase)

    def announced(self) -> None:
        """The call plays something."""
        self._phrase_until = None

    def look(self, now: float, state: SessionState) -> None:
        """To be called a few times a second: the silent line is the caller's again."""
        faded = False
        if state is SessionState.TALKING:
            if self._comfort.wanted:
                self._comfort.look(now)
            speaks = self._floor.state is FloorState.CALLER_SPEAKING
            faded = speaks and self._answering.turn_has_faded(now)
        unplayed = self._phrase_until is not None and now >= self._phrase_until
        if unplayed:
            self._phrase_until = None
        if faded or unplayed:
            self._silence.floor_open(now)

    def silence(self, now: float, state: SessionState) -> tuple[EndCause, str] | None:
        """See to a silent caller; return how the conversation is to be ended, if it is."""
        action = self._silence.handle_timeout(now)
        if action is None:
            return None
        phrases = self._config.phrases
        if action is SilenceAction.GIVE_UP:
            return EndCause.CALLER_SILENT, phrases.good_bye
        if action is SilenceAction.TIME_UP:
            return EndCause.MAX_DURATION, phrases.time_up
        if action is SilenceAction.ASK and state is SessionState.TALKING:
            if self._seat.capabilities.minds_silence:
                self._silence.floor_open(now)
            else:
                self.phrase(SetPhrase.STILL_THERE)
        return None

    def moment(self, now: float) -> Moment:
        """How well a change of the provider's session would go unnoticed."""
        if self._floor.state is FloorState.DRAINING:
            return Moment.DRAINING
        quiet = self._floor.state is FloorState.LISTENING and self._line.idle(now)
        return Moment.PAUSE if quiet and not self._line.ear.active else Moment.BUSY
