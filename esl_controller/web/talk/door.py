"""Which browser may talk to which number: whoever has a ticket for it, once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import gevent
import structlog

from bridge.doors import LinkFactory
from bridge.routes import Refusal, TalkRequest
from bridge.wire.frames import BINARY, TEXT, Message
from esl_controller.calls.desk import CallDesk
from esl_controller.calls.registry import Calls
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository.tickets import spend_ticket
from esl_controller.esl.dialable import DIALABLE
from esl_controller.settings.types import Secret
from esl_controller.web.talk.conversation import TalkCall
from esl_controller.web.tickets import LONGEST_S, admits

_log = structlog.get_logger("talk")

USED = "no such ticket, or used before"
LOOK_S = 2.0
"""The database has so long to say whether a ticket was used at another worker."""
MOST_USED = 10_000
"""Tickets remembered as used; those that have expired are forgotten first."""


class BrowserDoor:
    """The media server's `TalkDoor`."""

    def __init__(self, token: Secret, desk: Callable[[], CallDesk], pool: Pool) -> None:
        self.calls: Calls[TalkCall] = Calls()
        """Those going on."""
        self._token = token
        self._desk = desk
        self._pool = pool
        self._used: dict[str, float] = {}
        """Tickets to when they have expired, monotonic."""

    def check(self, request: TalkRequest) -> Refusal | None:
        """A ticket of this domain and number, not used here before."""
        scope = f"talk/{request.extension}"
        now = datetime.now(UTC)
        named = admits(self._token, request.ticket, request.domain_uuid, scope, now)
        good = named is not None and DIALABLE.fullmatch(request.extension) is not None
        if not good or request.ticket in self._used:
            return Refusal(403, USED)
        self._remember(request.ticket)
        return None

    def join(self, request: TalkRequest, open_link: LinkFactory) -> None:
        """Begin the conversation, in a greenlet of its own."""
        call = TalkCall(request, self._desk())
        call.link = open_link(lambda messages: _hand_on(call, messages), call.closed)
        gevent.spawn(self._run, call, request.ticket)

    def _run(self, call: TalkCall, ticket: str) -> None:
        self.calls.add(call)
        try:
            if self._spend(call.identity.domain_uuid, ticket):
                call.run()
            else:
                call.refuse(USED)
        finally:
            self.calls.discard(call)

    def _spend(self, domain_uuid: str, ticket: str) -> bool:
        """Another worker may have had it. Where the database is away, each has it once at most."""
        try:
            with self._pool.connection(autocommit=True, limit_s=LOOK_S) as connection:
                key = str(uuid.uuid5(uuid.NAMESPACE_URL, ticket))
                return spend_ticket(connection, domain_uuid, key)
        except DatabaseError as error:
            _log.warning("talk.ticket_not_looked_up", error=str(error))
            return True

    def _remember(self, ticket: str) -> None:
        now = time.monotonic()
        if len(self._used) >= MOST_USED:
            self._used = {one: until for one, until in self._used.items() if until > now}
        self._used[ticket] = now + LONGEST_S


def _hand_on(call: TalkCall, messages: list[Message]) -> None:
    """Sound goes to the session; of texts there is one."""
    audio = [payload for opcode, payload in messages if opcode == BINARY]
    if audio:
        call.hear(b"".join(audio))
    for opcode, payload in messages:
        if opcode == TEXT:
            call.told(payload)
