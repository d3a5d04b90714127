"""Whether the words that end a conversation have been said."""

from __future__ import annotations

import enum

UNNAMED_GRACE_S = 1.0
"""After an answer that may have been the last words, for a provider that names none of them."""


class _Stage(enum.Enum):
    NONE = "none"
    ASKED = "asked"
    """Of the provider, or of the call as a recorded phrase."""
    BEGUN = "begun"
    SAID = "said"


class LastWords:
    """Follows them from the request to their last sound. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._stage = _Stage.NONE
        self._token = ""
        self._response_id = ""
        self.until: float | None = None
        """`handle_timeout` wants to be called then; None: nothing is awaited."""

    @property
    def awaited(self) -> bool:
        """Whether the end must wait for them."""
        return self._stage in (_Stage.ASKED, _Stage.BEGUN)

    def ask(self, token: str) -> None:
        """The provider was asked to say them under `token`."""
        self._stage, self._token = _Stage.ASKED, token

    def ask_phrase(self, until: float) -> None:
        """The call was asked to play them; it has until then to begin."""
        self._stage, self.until = _Stage.ASKED, until

    def announced(self) -> None:
        """A phrase of ours is played: where one was asked for, it is this."""
        if self._stage is _Stage.ASKED and not self._token:
            self._stage = _Stage.SAID

    def response_started(self, response_id: str, token: str) -> None:
        """Only the response that names our request holds them."""
        if self._stage is _Stage.ASKED and token and token == self._token:
            self._stage, self._response_id, self.until = _Stage.BEGUN, response_id, None

    def response_done(self, response_id: str, *, heard: bool, now: float) -> None:
        """Generated to the end; unheard ones are still to be said."""
        if self._stage is _Stage.BEGUN and response_id in ("", self._response_id):
            self._stage = _Stage.SAID if heard else _Stage.ASKED
        elif self._stage is _Stage.ASKED and self._token and heard:
            self.until = now + UNNAMED_GRACE_S

    def handle_timeout(self, now: float, *, idle: bool) -> None:
        """They do not come any more, or were said without their name."""
        if self.until is not None and now >= self.until and idle:
            self._stage, self.until = _Stage.SAID, None

    def give_up(self) -> None:
        """They cannot be said."""
        self._stage = _Stage.SAID
