"""Callers who talk with a human, and what is known of each when he comes back.

The worker that let him go keeps a ticket. On another one, or when the ticket is gone, the
conversation is put together from its turns in the database.
"""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from bridge.providers.conversation import Ran, Said, Speaker
from esl_controller.calls.leg import CONVERSATION, RETURNING
from esl_controller.database.models import RouteEntry, TransferRecord, Turn
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import conversations
from esl_controller.esl.events import ChannelData
from esl_controller.routes.identity import CallIdentity

TICKET_S = 3600.0
MAX_TICKETS = 2000
READ_S = 1.0
"""A caller who is back waits so long for what was said; without it the agent begins anew."""
HISTORY_CHARS = 12_000
EXTENSION = "voice_ai_return"
"""Of dialplan_xml/900_voice_ai_realtime.xml: leads back to a worker."""
RETURN_TO = "voice_ai_return_to"
GOING_BACK = ("transfer_after_bridge", RETURNING, CONVERSATION)
"""Variables without which a caller who leaves a human does not come back to us."""

_log = structlog.get_logger("transfer")
_SPEAKERS = {"user": Speaker.CALLER, "assistant": Speaker.AGENT}


@dataclass(frozen=True, slots=True)
class Returned:
    """A caller who has come back."""

    history: Sequence[Said | Ran]
    name: str
    """With whom he talked."""
    transfer: TransferRecord | None
    """Its row, to be told that he came back; None when it is not known."""

    def row(self) -> TransferRecord | None:
        """The row as it is now."""
        if self.transfer is None:
            return None
        return replace(self.transfer, status="returned", ended_at=datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class _Ticket:
    returned: Returned
    kept_at: float


class Returning:
    """The tickets of one worker."""

    def __init__(self, pool: Pool, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._tickets: OrderedDict[tuple[str, str], _Ticket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tickets)

    def keep(self, identity: CallIdentity, returned: Returned) -> None:
        """The caller talks with a human now; the oldest ticket goes where there are too many."""
        self._forget_old()
        key = (identity.domain_uuid, identity.call_uuid)
        self._tickets.pop(key, None)
        self._tickets[key] = _Ticket(returned, self._clock())
        while len(self._tickets) > MAX_TICKETS:
            self._tickets.popitem(last=False)

    def take(self, identity: CallIdentity, channel: ChannelData) -> Returned | None:
        """Of a caller who has come back; None of any other call. May wait."""
        transfer_uuid = _uuid(channel.variable(RETURNING))
        if not transfer_uuid:
            return None
        self._forget_old()
        ticket = self._tickets.pop((identity.domain_uuid, identity.call_uuid), None)
        if ticket is not None:
            return ticket.returned
        return self._read(
            identity.domain_uuid, _uuid(channel.variable(CONVERSATION)), transfer_uuid
        )

    def _read(self, domain_uuid: str, conversation_uuid: str, transfer_uuid: str) -> Returned:
        if not conversation_uuid:
            return Returned((), "", None)
        try:
            with self._pool.connection(autocommit=True, limit_s=READ_S) as connection:
                turns = conversations.list_turns(connection, domain_uuid, conversation_uuid)
                rows = conversations.list_transfers(connection, domain_uuid, conversation_uuid)
        except DatabaseError as error:
            _log.warning("transfer.history_not_read", error=str(error))
            return Returned((), "", None)
        row = next((one for one in rows if one.transfer_uuid == transfer_uuid), None)
        return Returned(said(turns), "" if row is None else row.destination, row)

    def _forget_old(self) -> None:
        oldest = self._clock() - TICKET_S
        while self._tickets and next(iter(self._tickets.values())).kept_at < oldest:
            self._tickets.popitem(last=False)


def variables(
    entry: RouteEntry, address: str, conversation_uuid: str, transfer_uuid: str
) -> Mapping[str, str]:
    """What a channel needs to bring its caller back, to any worker.

    `transfer_after_bridge` acts when the other side of a bridge hangs up, whether we are still
    there or not (switch_ivr_bridge.c); `park_after_bridge` would leave him with nobody.
    """
    return {
        "transfer_after_bridge": f"{EXTENSION}:XML:{entry.domain_name}",
        RETURN_TO: address,
        RETURNING: transfer_uuid,
        CONVERSATION: conversation_uuid,
        "voice_ai_extension": entry.extension,
    }


def said(turns: Sequence[Turn]) -> list[Said]:
    """The end of a stored conversation, as a model is told it."""
    kept: list[Said] = []
    room = HISTORY_CHARS
    for turn in reversed(turns):
        speaker = _SPEAKERS.get(turn.role)
        if speaker is None or not turn.content:
            continue
        room -= len(turn.content)
        if room < 0:
            break
        kept.append(Said(speaker, turn.content))
    return kept[::-1]


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""
