"""OpenAI Realtime: when `response.create` may be sent.

The server makes one response at a time and answers a second request with the error
`conversation_already_has_active_response`. With server turn detection it also starts responses
by itself, right after the caller's turn. This object holds requests back until the way is free,
and drops one that another response has answered already.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Any

from bridge.short_queue import ShortQueue

MAX_PENDING = 32
SPEECH_HOLD_S = 15.0
"""A request waits at most this long for a caller who does not stop speaking."""
TURN_HOLD_S = 3.0
"""How long the server may take to begin its own response after the caller's turn."""


@dataclass(frozen=True, slots=True)
class Request:
    """One response to be asked for."""

    overrides: dict[str, Any] = field(default_factory=dict)
    """Of the `response` in `response.create`."""
    token: str = ""
    urgent: bool = False
    """Whatever the caller does: nothing but another response is waited for."""

    @property
    def is_plain(self) -> bool:
        """An answer to whatever the conversation now holds: two of them are one."""
        return not self.urgent


ANSWER = Request()
_SAY = "Say exactly the following to the caller, word for word, and nothing else:\n\n"


def say_exactly(text: str, token: str) -> Request:
    """Words for the caller. It does not wait for one who speaks.

    The token travels in the response's metadata (at most 512 characters, OpenAI API reference,
    `response.create`).
    """
    return Request({"instructions": _SAY + text, "tool_choice": "none"}, token, urgent=True)


class ResponseState(enum.Enum):
    """Where the one response is."""

    NONE = "none"
    REQUESTED = "requested"
    """Asked for by us, not yet begun."""
    ACTIVE = "active"


class ResponseRequests:
    """Requests in order, the urgent ones first; `take` gives the next when it can be accepted."""

    def __init__(self, *, server_answers: bool) -> None:
        self.state = ResponseState.NONE
        self.response_id: str | None = None
        """Of the active response."""
        self.dropped = 0
        """Requests beyond `MAX_PENDING`."""
        self._server_answers = server_answers
        self._pending: ShortQueue[Request] = ShortQueue()
        self._in_flight: Request | None = None
        self._hold_until: float | None = None
        self._blocked_until: float | None = None
        """After a refusal: asking again at once would be a loop."""
        self._covers_all = False
        """The response under way sees everything the conversation holds."""
        self._covers_all_if_servers = False
        """The same, should it turn out not to be the one we asked for."""

    @property
    def pending(self) -> bool:
        """Something is waiting to be asked for."""
        return bool(self._pending)

    @property
    def in_flight(self) -> Request | None:
        """What was asked for and not refused, until its response is over."""
        return self._in_flight

    @property
    def hold_until(self) -> float | None:
        """When a request is released although the caller's turn is not over."""
        if not self._pending or self.state is not ResponseState.NONE:
            return None
        if self._blocked_until is not None:
            return self._blocked_until
        return self._hold_until

    def add(self, request: Request) -> None:
        """Ask for a response; not for a plain answer that is asked for or under way already."""
        if request.is_plain and (self._covered() or any(r.is_plain for r in self._pending)):
            return
        if len(self._pending) >= MAX_PENDING:
            self.dropped += 1
        elif request.urgent:
            place = sum(1 for waiting in self._pending if waiting.urgent)
            self._pending.insert(place, request)
        else:
            self._pending.append(request)

    def conversation_changed(self) -> None:
        """We sent an item: no response under way is known to see it."""
        self._covers_all = self._covers_all_if_servers = False

    def withdraw_answer(self) -> bool:
        """Take back a plain answer not sent yet; False when there was none."""
        plain = [request for request in self._pending if request.is_plain]
        for request in plain:
            self._pending.remove(request)
        return bool(plain)

    def withdraw_urgent(self) -> None:
        """Take back the words not asked for yet."""
        for request in [request for request in self._pending if request.urgent]:
            self._pending.remove(request)

    def take(self) -> Request | None:
        """The request to send now, or None."""
        if self.state is not ResponseState.NONE or self._blocked_until is not None:
            return None
        if not self._pending or (self._hold_until is not None and not self._pending[0].urgent):
            return None
        self.state = ResponseState.REQUESTED
        self._in_flight = self._pending.popleft()
        self._covers_all = True
        return self._in_flight

    def speech_started(self, now: float) -> None:
        """The caller speaks: an answer sent now would talk over them."""
        if self._server_answers:
            self._hold_until = now + SPEECH_HOLD_S

    def turn_ended(self, now: float) -> None:
        """The caller's turn is over: the server begins a response by itself."""
        if self._server_answers:
            self._hold_until = now + TURN_HOLD_S

    def turn_unanswered(self, *, ask: bool) -> None:
        """A response was under way when the turn ended: the server begins none of its own.

        `ask`: that response is cancelled already, so the turn is ours to have answered.
        """
        self._hold_until = None
        if ask:
            self.add(ANSWER)

    def release(self, now: float) -> None:
        """Stop holding when the time is over."""
        if self._hold_until is not None and now >= self._hold_until:
            self._hold_until = None
        if self._blocked_until is not None and now >= self._blocked_until:
            self._blocked_until = None

    def created(self, response_id: str, *, sees_all: bool) -> None:
        """A response began. `sees_all`: every item we sent was in the conversation before it."""
        if self.state is not ResponseState.REQUESTED:
            self._covers_all = sees_all
            if sees_all:
                self.withdraw_answer()
        else:
            self._covers_all = self._covers_all or sees_all
        self._covers_all_if_servers = sees_all
        self.state = ResponseState.ACTIVE
        self.response_id = response_id
        self._hold_until = self._blocked_until = None

    def cancelled(self) -> None:
        """The response under way answers nothing any more."""
        self._covers_all = self._covers_all_if_servers = False

    def done(self, response_id: str) -> None:
        """A response ended. One that is not the active one changes nothing."""
        if self.state is ResponseState.ACTIVE and response_id == self.response_id:
            self.state = ResponseState.NONE
            self.response_id = None
            self._in_flight = None
            self._covers_all = False

    def repeat(self) -> None:
        """What was asked for is to be asked for once more, in other words."""
        if self.state is ResponseState.REQUESTED and self._in_flight is not None:
            self._pending.appendleft(self._in_flight)
            self._in_flight = None
            self.state = ResponseState.NONE

    def refused(self, now: float, *, again: bool) -> None:
        """Our request was refused: drop it, or keep it until the way is free.

        A plain answer is not kept when the server's own response, which stood in its way, has
        seen all we sent.
        """
        request, self._in_flight = self._in_flight, None
        answered = self.state is ResponseState.ACTIVE and self._covers_all_if_servers
        if again and request is not None and not (request.is_plain and answered):
            self._pending.appendleft(request)
        if self.state is ResponseState.ACTIVE:
            self._covers_all = self._covers_all_if_servers
        elif self.state is ResponseState.REQUESTED:
            self.state = ResponseState.NONE
            self._blocked_until = now + TURN_HOLD_S if again else None

    def _covered(self) -> bool:
        """A plain answer is on its way that has seen, or will see, everything."""
        if self.state is ResponseState.REQUESTED:
            return self._covers_all and self._in_flight is not None and self._in_flight.is_plain
        if self.state is not ResponseState.ACTIVE or not self._covers_all:
            return False
        return self._in_flight is None or self._in_flight.is_plain
