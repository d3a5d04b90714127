"""The polite end of a conversation: last words, and how long they may take."""

from __future__ import annotations

from bridge.ports import EndCause, SessionEnd, SessionListener, SetPhrase
from bridge.session.answering import Answering
from bridge.session.config import SessionConfig
from bridge.session.last_words import LastWords
from bridge.session.provider import ProviderSeat

PHRASE_WAIT_S = 1.5
"""For the call to begin a phrase it was asked to play; then the session goes on without."""


class Closing:
    """One session's way to its end. `now` is monotonic seconds."""

    def __init__(
        self,
        config: SessionConfig,
        seat: ProviderSeat,
        answering: Answering,
        last_words: LastWords,
        listener: SessionListener,
    ) -> None:
        self._config = config
        self._seat = seat
        self._answering = answering
        self._last_words = last_words
        self._listener = listener
        self._end: SessionEnd | None = None
        self._until = 0.0

    @property
    def begun(self) -> bool:
        """A polite end is under way."""
        return self._end is not None

    @property
    def end(self) -> SessionEnd:
        """What it will be told as."""
        return self.end_or(SessionEnd(EndCause.FINISHED))

    def end_or(self, other: SessionEnd) -> SessionEnd:
        """The end that was begun, if one was; else `other`."""
        return self._end or other

    def begin(self, cause: EndCause, now: float) -> SessionEnd:
        """End it for this cause."""
        self._end = SessionEnd(cause)
        self._until = now + self._config.closing_timeout_s
        return self._end

    def ask(self, words: str, now: float) -> None:
        """Have the last words said by the agent, or played by the call where it cannot."""
        if self._seat.ready and self._seat.capabilities.speaks_text:
            self._last_words.ask(self._answering.say(words))
            return
        self._last_words.ask_phrase(now + PHRASE_WAIT_S)
        self._listener.phrase_due(self._config.phrases.phrase(words) or SetPhrase.GOOD_BYE)

    def too_long(self, now: float) -> bool:
        """It has taken as long as it may."""
        return self._end is not None and now >= self._until
