"""All sessions of a worker, by (domain, call): who may join, timers, and the end of each.

It is the media server's gate. A stream is admitted once, by the one-time token that was put into
the start command of exactly that call.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import gevent

from bridge.routes import Refusal, StreamRequest
from bridge.server import LinkFactory
from bridge.session.session import Session
from bridge.wire import frames
from bridge.wire.frames import Message
from bridge.wire.link import CloseInfo, WebSocketLink
from bridge.wire.stream_protocol import Dtmf, Hangup, parse_text

_log = logging.getLogger("bridge.sessions")

TICK_S = 0.25
"""Resolution of every session timer; the shortest is the two-second pause after digits."""
MAX_TICKETS = 4096
"""Seats held open at once, far above any worker's capacity."""


class StreamOwner(Protocol):
    """Who gets a stream when it joins. Called on the hub."""

    def stream_joined(self, link: WebSocketLink) -> None:
        """The caller's stream is here."""

    def stream_closed(self, info: CloseInfo) -> None:
        """It has ended."""

    def stream_text(self, payload: bytes) -> None:
        """A text the session does not understand itself."""


@dataclass(slots=True)
class _Ticket:
    """One start command's right to join."""

    token: str = field(repr=False)
    session: Session
    owner: StreamOwner
    used: bool = False


class CapacityReached(Exception):
    """No further session may be opened."""


class SessionManager:
    """Opens, seats and sweeps sessions. Implements `bridge.server.StreamGate`."""

    def __init__(self, *, capacity: int, clock: Callable[[], float]) -> None:
        self.capacity = capacity
        self.draining = False
        self.refused = 0
        self.joined = 0
        self._clock = clock
        self._sessions: dict[tuple[str, str], Session] = {}
        self._tickets: dict[tuple[str, str], _Ticket] = {}
        self._sweeper: gevent.Greenlet[..., None] | None = None

    # --- sessions -----------------------------------------------------------------------------

    def open(self, session: Session) -> None:
        """Register a session. Raises `CapacityReached`, also while draining."""
        key = (session.domain_uuid, session.call_uuid)
        if self.draining or len(self._sessions) >= self.capacity or key in self._sessions:
            raise CapacityReached(f"{len(self._sessions)} sessions of {self.capacity}")
        self._sessions[key] = session

    def release(self, session: Session) -> None:
        """Forget a session that has ended."""
        key = (session.domain_uuid, session.call_uuid)
        if self._sessions.get(key) is session:
            del self._sessions[key]
            self._tickets.pop(key, None)

    def sessions(self) -> Iterable[Session]:
        """All sessions, a copy."""
        return tuple(self._sessions.values())

    def __len__(self) -> int:
        return len(self._sessions)

    # --- the gate -----------------------------------------------------------------------------

    def issue_ticket(self, session: Session, owner: StreamOwner) -> str:
        """A fresh one-time token for the next stream of this session; the old one dies."""
        token = secrets.token_urlsafe(24)
        key = (session.domain_uuid, session.call_uuid)
        self._tickets[key] = _Ticket(token, session, owner)
        return token

    def check(self, request: StreamRequest) -> Refusal | None:
        """Admit the holder of a call's token, once."""
        ticket = self._tickets.get((request.domain_uuid, request.call_uuid))
        given = request.token.encode()
        known = ticket.token.encode() if ticket is not None else b"-"
        fits = hmac.compare_digest(given, known)
        if ticket is None or not fits:
            self.refused += 1
            return Refusal(403, "no such call, or wrong token")
        if ticket.used or ticket.session.ended:
            self.refused += 1
            return Refusal(409, "the call has its stream")
        ticket.used = True
        return None

    def join(self, request: StreamRequest, open_link: LinkFactory) -> None:
        """Seat an admitted stream."""
        ticket = self._tickets.get((request.domain_uuid, request.call_uuid))
        if ticket is None or ticket.session.ended:
            return
        self.joined += 1
        seat = _Seat(ticket.session, ticket.owner)
        ticket.owner.stream_joined(open_link(seat.on_messages, ticket.owner.stream_closed))

    # --- timers -------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to sweep."""
        self._sweeper = gevent.spawn(self._sweep)

    def stop(self) -> None:
        """End the sweeping."""
        if self._sweeper is not None:
            self._sweeper.kill()
            self._sweeper = None

    def _sweep(self) -> None:
        while True:
            gevent.sleep(TICK_S)
            now = self._clock()
            for session in self.sessions():
                self._tick(session, now)

    def _tick(self, session: Session, now: float) -> None:
        try:
            session.tick(now)
        except Exception:  # noqa: BLE001 - one session's bug must not stop the others' timers
            _log.exception("timer of call %s failed", session.call_uuid)


class _Seat:
    """Hands a stream's messages to its session."""

    __slots__ = ("_owner", "_session")

    def __init__(self, session: Session, owner: StreamOwner) -> None:
        self._session = session
        self._owner = owner

    def on_messages(self, messages: list[Message]) -> None:
        """Messages of one read: audio that waited is sent on as one piece."""
        if len(messages) == 1 and messages[0][0] == frames.BINARY:
            self._session.receive_audio(messages[0][1])
            return
        audio = [payload for opcode, payload in messages if opcode == frames.BINARY]
        if audio:
            self._session.receive_audio(b"".join(audio))
        for opcode, payload in messages:
            if opcode == frames.TEXT:
                self._on_text(payload)

    def _on_text(self, payload: bytes) -> None:
        text = parse_text(payload)
        if isinstance(text, Dtmf):
            self._session.press_digit(text.digit)
        elif not isinstance(text, Hangup):
            self._owner.stream_text(payload)
