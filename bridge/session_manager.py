"""All sessions of a worker: who may open and join one, timers, and the end of each.

A call has a place for as long as one of its sessions runs, however many there are: a second agent
or a new conversation of a call that is going on needs no other.

It is the media server's gate. A stream is admitted once, by the one-time token that was put into
the start command of exactly that call.
"""

from __future__ import annotations

import hmac
import itertools
import logging
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import gevent

from bridge.doors import LinkFactory
from bridge.routes import Refusal, StreamRequest
from bridge.session.session import Session
from bridge.wire import frames
from bridge.wire.frames import Message
from bridge.wire.link import CloseInfo, WebSocketLink
from bridge.wire.stream_protocol import Dtmf, Hangup, parse_text

_log = logging.getLogger("bridge.sessions")

T = TypeVar("T")

TICK_S = 0.25
"""Resolution of every session timer; the shortest is the two-second pause after digits."""
SLICES = 10
"""Sessions are looked at in turn, a tenth of them at a time: two hundred at once would hold up
everybody's sound, and each by itself would find the processor's caches full of other things."""
Look = Callable[[float], None]
Key = tuple[str, str]
"""Domain and call."""


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
    """No further call may have a session."""


class SessionManager:
    """Opens, seats and sweeps sessions. Implements `bridge.doors.StreamGate`."""

    def __init__(self, *, capacity: int, clock: Callable[[], float]) -> None:
        self.capacity = capacity
        self.draining = False
        """No new calls are wanted. Those that came before are opened all the same."""
        self.refused = 0
        self.joined = 0
        self._clock = clock
        self._calls: dict[Key, list[Session]] = {}
        self._tickets: dict[Key, list[_Ticket]] = {}
        """The newest of each session."""
        self._slices: tuple[dict[Session, Look | None], ...] = tuple({} for _ in range(SLICES))
        """With what else is looked at whenever the session is."""
        self._turns = itertools.cycle(self._slices)
        self._timer: Any = None

    # --- sessions -----------------------------------------------------------------------------

    def open(self, session: Session, *, going_on: bool = False) -> None:
        """Register a session.

        Args:
            going_on: the call has had a session before, and keeps its place between two of them.

        Raises:
            CapacityReached: a new call, and no place for it.
        """
        key = _key(session)
        full = len(self._calls) >= self.capacity
        if full and key not in self._calls and not going_on:
            raise CapacityReached(f"{len(self._calls)} calls of {self.capacity}")
        sessions = self._calls.setdefault(key, [])
        if session not in sessions:
            sessions.append(session)
            min(self._slices, key=len)[session] = None

    def release(self, session: Session) -> None:
        """Forget a session that has ended."""
        key = _key(session)
        left = [other for other in self._calls.get(key, ()) if other is not session]
        tickets = [ticket for ticket in self._tickets.get(key, ()) if ticket.session is not session]
        _keep(self._calls, key, left)
        _keep(self._tickets, key, tickets)
        for part in self._slices:
            part.pop(session, None)

    def sessions(self) -> Iterable[Session]:
        """All sessions, a copy."""
        return tuple(session for sessions in self._calls.values() for session in sessions)

    def __len__(self) -> int:
        """Sessions going on."""
        return sum(len(sessions) for sessions in self._calls.values())

    @property
    def calls(self) -> int:
        """Calls that have a place."""
        return len(self._calls)

    # --- the gate -----------------------------------------------------------------------------

    def issue_ticket(self, session: Session, owner: StreamOwner) -> str:
        """A fresh one-time token for the next stream of this session; the old one dies."""
        token = secrets.token_urlsafe(24)
        key = _key(session)
        others = [ticket for ticket in self._tickets.get(key, ()) if ticket.session is not session]
        self._tickets[key] = [*others, _Ticket(token, session, owner)]
        return token

    def check(self, request: StreamRequest) -> Refusal | None:
        """Admit the holder of a session's token, once."""
        ticket = self._ticket(request)
        if ticket is None:
            self.refused += 1
            return Refusal(403, "no such call, or wrong token")
        if ticket.used or ticket.session.ended:
            self.refused += 1
            return Refusal(409, "the call has its stream")
        ticket.used = True
        return None

    def join(self, request: StreamRequest, open_link: LinkFactory) -> None:
        """Join an admitted stream to its session."""
        ticket = self._ticket(request)
        if ticket is None or ticket.session.ended:
            return
        self.joined += 1
        stream = _Stream(ticket.session, ticket.owner)
        link = open_link(stream.on_messages, ticket.owner.stream_closed)
        link.offer_reads(ticket.session.receive_plain)
        ticket.owner.stream_joined(link)

    def _ticket(self, request: StreamRequest) -> _Ticket | None:
        """The one with this token; every one of the call is compared, in constant time."""
        given, found = request.token.encode(), None
        for ticket in self._tickets.get((request.domain_uuid, request.call_uuid), ()):
            if hmac.compare_digest(given, ticket.token.encode()):
                found = ticket
        return found

    # --- timers -------------------------------------------------------------------------------

    def watch(self, session: Session, look: Look | None) -> None:
        """Call `look`, on the hub, whenever the session's timers are looked at; None: no more."""
        for part in self._slices:
            if session in part:
                part[session] = look

    def start(self) -> None:
        """Begin to sweep."""
        self._timer = gevent.get_hub().loop.timer(TICK_S / SLICES, TICK_S / SLICES)
        self._timer.start(self._sweep)

    def stop(self) -> None:
        """End the sweeping."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None

    def _sweep(self) -> None:
        now = self._clock()
        for session, look in tuple(next(self._turns).items()):
            self._look_at(session, session.tick, now)
            if look is not None:
                self._look_at(session, look, now)

    def _look_at(self, session: Session, look: Look, now: float) -> None:
        try:
            look(now)
        except Exception:  # noqa: BLE001 - one call's bug must not stop the others' timers
            _log.exception("timer of call %s failed", session.call_uuid)


class _Stream:
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


def _key(session: Session) -> Key:
    return session.domain_uuid, session.call_uuid


def _keep(table: dict[Key, list[T]], key: Key, left: list[T]) -> None:
    if left:
        table[key] = left
    else:
        table.pop(key, None)
