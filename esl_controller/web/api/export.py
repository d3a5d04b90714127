"""Conversations as a table for spreadsheets, sent as it is read: all of them, each once.

The way goes back in time by key, so that a call that comes meanwhile moves nothing. No connection
and no place for readers is held while the reader takes a piece.
"""

from __future__ import annotations

import csv
import errno
import io
import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import fields, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

import gevent
import msgspec
import structlog

from bridge.wire.turns import others_first
from esl_controller.database.pool import DatabaseError, DatabaseUnavailable, GreenConnection
from esl_controller.database.repository import pages
from esl_controller.database.repository.pages import ConversationSummary, Position, Wanted
from esl_controller.web.api.conversations import wanted_of
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.problems import Problem
from esl_controller.web.api.reply import Reply
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request

ROWS = 50
"""Read and written in one go: two milliseconds of the hub."""
LOOKED_AT = 1000
"""Conversations that one query looks at, however few of them are wanted."""
SEND_S = 30.0
"""A piece that is not taken in this time is the last."""
PAUSES_S = (0.5, 2.0, 5.0)
"""Before a query is tried again for want of a place or the database."""
_COLUMNS = [field.name for field in fields(ConversationSummary)]
_T = TypeVar("_T")
_log = structlog.get_logger("api")


def export_conversations(resources: Resources, request: Request) -> Reply:
    """Every conversation that fits, newest first."""
    rows = _rows(resources, request.domain_uuid, wanted_of(request.query))
    with ExitStack() as held:
        held.enter_context(resources.gates.through(Gate.EXPORT))
        first = next(rows, b"")  # what fails before it is an answer of its own
        pieces = itertools.chain([_lines([_COLUMNS]) + first], rows)
        body = _Sent(pieces, held.pop_all())
    headers = (("Content-Disposition", 'attachment; filename="conversations.csv"'),)
    return Reply(HTTPStatus.OK, body, "text/csv; charset=utf-8", headers)


class _Sent:
    """Pieces, each with its time to be taken; `close` gives the place up."""

    def __init__(self, pieces: Iterator[bytes], held: ExitStack) -> None:
        self._pieces = pieces
        self._held = held

    def __iter__(self) -> Iterator[bytes]:
        gone = BrokenPipeError(errno.EPIPE, "reader too slow")
        try:
            for piece in self._pieces:
                with gevent.Timeout(SEND_S, gone):
                    yield piece
        except (DatabaseError, Problem) as error:
            _log.warning("api.export_broken_off", error=str(error))
            # Without a last chunk: whoever reads knows that this is not all.
            raise BrokenPipeError(errno.EPIPE, "not all could be read") from error

    def close(self) -> None:
        """Whoever sends it calls this at the end."""
        self._held.close()


def _rows(resources: Resources, domain_uuid: str, wanted: Wanted) -> Iterator[bytes]:
    """A stretch of time after another, each of as many conversations as a query may look at."""

    def asked(read: Callable[[GreenConnection, str, Wanted, int], _T], of: Wanted, rows: int) -> _T:
        return _patiently(resources, lambda connection: read(connection, domain_uuid, of, rows))

    while True:
        edge = asked(pages.find_edge, wanted, LOOKED_AT)
        within, full = replace(wanted, until=edge), True
        while full:
            found = asked(pages.list_page, within, ROWS)
            full = len(found) == ROWS
            if found:
                others_first()
                yield _lines([[_cell(getattr(one, name)) for name in _COLUMNS] for one in found])
                others_first()
                last = found[-1]
                within = replace(within, after=Position(last.started_at, last.conversation_uuid))
        if edge is None:
            return
        wanted = replace(wanted, after=edge)


def _patiently(resources: Resources, read: Callable[[GreenConnection], _T]) -> _T:
    """What `read` returns. A moment without a place or a database ends no table half-way."""
    for pause_s in PAUSES_S:
        try:
            with resources.reading() as connection:
                return read(connection)
        except (DatabaseUnavailable, Problem):
            gevent.sleep(pause_s)
    with resources.reading() as connection:
        return read(connection)


def _lines(rows: list[list[str]]) -> bytes:
    """RFC 4180."""
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return msgspec.json.encode(value).decode()
    text = "" if value is None else str(value)
    # A spreadsheet takes what begins so for a formula (OWASP, CSV injection); callers choose names.
    formula = text[:1] in ("=", "@", "\t", "\r") or (text[:1] in "+-" and not text[1:].isdigit())
    return f"'{text}" if text and formula else text
