"""Conversations as a table for spreadsheets, sent as it is read."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from esl_controller.database.repository import pages
from esl_controller.database.repository.pages import ConversationSummary, Position, Wanted
from esl_controller.web.api.conversations import wanted_of
from esl_controller.web.api.reply import Reply
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request

PAGE_ROWS = 500
MAX_ROWS = 50_000
_COLUMNS = [field.name for field in fields(ConversationSummary)]


def export_conversations(resources: Resources, request: Request) -> Reply:
    """Every conversation that fits, newest first, at most 50,000."""
    wanted = wanted_of(request.query)
    rows = _rows(resources, request.domain_uuid, wanted)
    body = itertools.chain([_line(_COLUMNS)], rows)
    headers = (("Content-Disposition", 'attachment; filename="conversations.csv"'),)
    return Reply(HTTPStatus.OK, body, "text/csv; charset=utf-8", headers)


def _rows(resources: Resources, domain_uuid: str, wanted: Wanted) -> Iterator[bytes]:
    """A page at a time: no connection is held while a slow reader takes one."""
    for _ in range(MAX_ROWS // PAGE_ROWS):
        with resources.reading() as connection:
            found = pages.list_page(connection, domain_uuid, wanted, PAGE_ROWS)
        if found:
            yield b"".join(_line([_cell(getattr(one, name)) for name in _COLUMNS]) for one in found)
        if len(found) < PAGE_ROWS:
            return
        last = found[-1]
        wanted = replace(wanted, after=Position(last.started_at, last.conversation_uuid))


def _line(cells: list[str]) -> bytes:
    """RFC 4180."""
    file = io.StringIO()
    csv.writer(file).writerow(cells)
    return file.getvalue().encode()


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    text = "" if value is None else str(value)
    # A spreadsheet takes what begins so for a formula (OWASP, CSV injection); callers choose names.
    formula = text[:1] in ("=", "@", "\t", "\r") or (text[:1] in "+-" and not text[1:].isdigit())
    return f"'{text}" if text and formula else text
