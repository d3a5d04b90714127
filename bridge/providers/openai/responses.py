"""OpenAI Realtime: when `response.create` may be sent.

The server makes one response at a time and answers a second request with the error
`conversation_already_has_active_response`. With server turn detection it also starts responses
by itself, right after the caller's turn. This object holds requests back until the way is free,
and drops one that the server's own response has already answered.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import Any

from bridge.errors import LocalProtocolError

MAX_PENDING = 32
SPEECH_HOLD_S = 15.0
"""A request waits at most this long for a caller who does not stop speaking."""
TURN_HOLD_S = 3.0
"""How long the server may take to begin its own response after the caller's turn."""

ANSWER: dict[str, Any] = {}
"""The request for an answer to whatever the conversation now holds: no overrides."""


class ResponseState(enum.Enum):
    """Where the one response is."""

    NONE = "none"
    REQUESTED = "requested"
    """Asked for by us, not yet begun."""
    ACTIVE = "active"


class ResponseRequests:
    """Requests in order; `take` gives the next one when the server can accept it."""

    def __init__(self, *, server_answers: bool) -> None:
        self.state = ResponseState.NONE
        self.response_id: str | None = None
        """Of the active response."""
        self._server_answers = server_answers
        self._pending: deque[dict[str, Any]] = deque()
        self._in_flight: dict[str, Any] | None = None
        self._hold_until: float | None = None

    @property
    def pending(self) -> bool:
        """Something is waiting to be asked for."""
        return bool(self._pending)

    @property
    def hold_until(self) -> float | None:
        """When requests are released although the caller's turn is not over."""
        return self._hold_until if self._pending else None

    def add(self, request: dict[str, Any]) -> None:
        """Ask for a response. Asking twice for a plain answer is asking once."""
        if request is ANSWER and ANSWER in self._pending:
            return
        if len(self._pending) >= MAX_PENDING:
            raise LocalProtocolError(f"more than {MAX_PENDING} responses asked for")
        self._pending.append(request)

    def withdraw_answer(self) -> bool:
        """Take back a plain answer not sent yet; False when there was none."""
        if ANSWER not in self._pending:
            return False
        self._pending.remove(ANSWER)
        return True

    def take(self) -> dict[str, Any] | None:
        """The request to send now, or None."""
        if self.state is not ResponseState.NONE or self._hold_until is not None:
            return None
        if not self._pending:
            return None
        self.state = ResponseState.REQUESTED
        self._in_flight = self._pending.popleft()
        return self._in_flight

    def speech_started(self, now: float) -> None:
        """The caller speaks: an answer sent now would talk over them."""
        if self._server_answers:
            self._hold_until = now + SPEECH_HOLD_S

    def turn_ended(self, now: float) -> None:
        """The caller's turn is over: the server begins a response by itself."""
        if self._server_answers:
            self._hold_until = now + TURN_HOLD_S

    def release(self, now: float) -> None:
        """Stop holding when the time is over."""
        if self._hold_until is not None and now >= self._hold_until:
            self._hold_until = None

    def created(self, response_id: str, *, sees_all: bool) -> None:
        """A response began. `sees_all`: every item we sent was in the conversation before it."""
        if self.state is not ResponseState.REQUESTED and sees_all:
            self.withdraw_answer()
        self.state = ResponseState.ACTIVE
        self.response_id = response_id
        self._hold_until = None

    def done(self, response_id: str) -> None:
        """A response ended. One that is not the active one changes nothing."""
        if self.state is ResponseState.ACTIVE and response_id == self.response_id:
            self.state = ResponseState.NONE
            self.response_id = None
            self._in_flight = None

    def refused(self, now: float, *, again: bool) -> None:
        """Our request was refused: drop it, or keep it until the way is free."""
        if again and self._in_flight is not None:
            self._pending.appendleft(self._in_flight)
        self._in_flight = None
        if self.state is ResponseState.REQUESTED:
            self.state = ResponseState.NONE
            self._hold_until = now + TURN_HOLD_S if again else self._hold_until
