"""One viewer of one call: server-sent events (HTML Living Standard, 9.2).

Events: `conversation` (how it stands), `turn`, `function_call`, `transfer`, and at last `end`.
Each holds a whole row; the same key again replaces what was sent before (a turn the caller cut off
is stored again). The event id is the number of the last turn, so a viewer that comes back with
`Last-Event-ID` gets that turn again and what followed.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import gevent
import msgspec

from bridge.wire.turns import others_first
from esl_controller.database.pool import DatabaseError, GreenConnection
from esl_controller.database.repository import conversations, pages
from esl_controller.database.repository.pages import ConversationSummary
from esl_controller.web.api.live import LiveFeed
from esl_controller.web.api.problems import Problem
from esl_controller.web.api.schemas import LiveConversation

ITEMS_PER_TURN = 50
"""Rows written as JSON before others have their turn."""

Reading = Callable[[], AbstractContextManager[GreenConnection]]


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """Limits in seconds."""

    alive_s: float = 15.0
    """Longest silence: then a comment is sent, and the tables are looked at again."""
    unheard_s: float = 2.0
    """The same while changes cannot be heard."""
    pause_s: float = 0.1
    """Shortest time between two readings."""
    send_s: float = 10.0
    """A viewer that takes longer to take what it is sent is dropped."""
    longest_s: float = 1800.0
    """Then the viewer has to come back."""


@dataclass(frozen=True, slots=True)
class _Item:
    """One event that may have to be sent."""

    kind: str
    key: str
    at: datetime
    row: Any
    number: int | None = None


class EventStream:
    """The body of one answer. Whoever sends it calls `close` at the end."""

    def __init__(
        self,
        feed: LiveFeed,
        reading: Reading,
        domain_uuid: str,
        conversation_uuid: str,
        *,
        last_event_id: str = "",
        timing: StreamTiming | None = None,
    ) -> None:
        self._feed = feed
        self._reading = reading
        self._key = (domain_uuid, conversation_uuid)
        self._seen_turns = int(last_event_id[:9]) if _is_number(last_event_id) else 0
        self._timing = timing or StreamTiming()
        self._sent: dict[tuple[str, str], int] = {}
        self._changed = feed.join(*self._key)
        self._joined = True

    def __iter__(self) -> Iterator[bytes]:
        """What to send, piece by piece; each has its time to be taken."""
        for piece in self._pieces():
            gone = BrokenPipeError(errno.EPIPE, "viewer too slow")
            with gevent.Timeout(self._timing.send_s, gone):
                yield piece

    def close(self) -> None:
        """The viewer has gone, or has been told everything."""
        if self._joined:
            self._joined = False
            self._feed.leave(*self._key, self._changed)

    def _pieces(self) -> Iterator[bytes]:
        until = time.monotonic() + self._timing.longest_s
        yield b"retry: 3000\n\n"
        while not self._feed.stopped and time.monotonic() < until:
            self._changed.clear()
            try:
                summary, items = self._read()
            except (DatabaseError, Problem):
                yield b": cannot read\n\n"
                gevent.sleep(self._timing.unheard_s)
                continue
            if news := self._news(items):
                yield news
            if summary is None or summary.ended_at is not None:
                yield _event("end", LiveConversation(conversation=summary))
                return
            if not self._wait():
                yield b": alive\n\n"

    def _wait(self) -> bool:
        """Until something has changed; False when it is time to look without being told."""
        gevent.sleep(self._timing.pause_s)
        heard = self._feed.listening
        return self._changed.wait(self._timing.alive_s if heard else self._timing.unheard_s)

    def _read(self) -> tuple[ConversationSummary | None, list[_Item]]:
        with self._reading() as connection:
            summary = pages.find_summary(connection, *self._key)
            if summary is None:
                return None, []
            turns = conversations.list_turns(connection, *self._key)
            calls = conversations.list_function_calls(connection, *self._key)
            transfers = conversations.list_transfers(connection, *self._key)
        items = [
            *(
                _Item("turn", turn.turn_uuid, turn.started_at, turn, turn.turn_number)
                for turn in turns
                if turn.turn_number >= self._seen_turns
            ),
            *(_Item("function_call", c.function_call_uuid, c.started_at, c) for c in calls),
            *(_Item("transfer", t.transfer_uuid, t.started_at, t) for t in transfers),
        ]
        items.sort(key=lambda item: item.at)
        status = LiveConversation(conversation=summary)
        return summary, [_Item("conversation", "", summary.started_at, status), *items]

    def _news(self, items: list[_Item]) -> bytes:
        """Events for what was not sent yet, or is not as it was."""
        events = []
        for place, item in enumerate(items):
            if place % ITEMS_PER_TURN == ITEMS_PER_TURN - 1:
                others_first()  # a long conversation is much to write down at once
            event = _event(item.kind, item.row, item.number)
            mark = hash(event)
            if self._sent.get((item.kind, item.key)) != mark:
                self._sent[item.kind, item.key] = mark
                events.append(event)
        return b"".join(events)


def _event(kind: str, row: Any, number: int | None = None) -> bytes:
    """One event; JSON has no line feed of its own, so its data is one line."""
    name = b"" if number is None else b"id: %d\n" % number
    return b"event: %b\n%bdata: %b\n\n" % (kind.encode(), name, msgspec.json.encode(row))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
