"""Handlers: conversations that were, and those going on."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import uuid
from datetime import datetime
from http import HTTPStatus

from esl_controller.database.models import UsageRecord
from esl_controller.database.repository import conversations, pages, spending
from esl_controller.database.repository.pages import ConversationSummary, Position, Wanted
from esl_controller.web.api.event_stream import EventStream
from esl_controller.web.api.problems import invalid, not_found
from esl_controller.web.api.recordings import recording_of
from esl_controller.web.api.reply import Reply
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import (
    ActiveCalls,
    ConversationDetail,
    ConversationPage,
    ConversationQuery,
)

_STREAM_HEADERS = (
    # nginx would hold events back otherwise (ngx_http_proxy_module, proxy_buffering).
    ("X-Accel-Buffering", "no"),
    ("Connection", "close"),
)


def list_conversations(resources: Resources, request: Request) -> ConversationPage:
    """One page; one row more than asked for tells whether there is another."""
    query: ConversationQuery = request.query
    wanted = wanted_of(query)
    with resources.reading() as connection:
        found = pages.list_page(connection, request.domain_uuid, wanted, query.limit + 1)
        total = pages.count_page(connection, request.domain_uuid, wanted)
    shown = found[: query.limit]
    following = cursor_after(shown[-1]) if len(found) > len(shown) else None
    return ConversationPage(conversations=shown, total=total, next=following)


def wanted_of(query: ConversationQuery) -> Wanted:
    """The conditions of a query."""
    return Wanted(
        started_from=query.from_,
        started_before=query.to,
        outcome=query.outcome,
        destination=query.extension,
        caller_id=query.caller,
        caller_suffix=query.caller_suffix,
        secretary_realtime_uuid=query.secretary,
        provider=query.provider,
        error_code=query.error_code,
        failed=True if query.failed else None,
        text=query.text,
        after=None if query.cursor is None else read_cursor(query.cursor),
    )


def cursor_after(last: ConversationSummary) -> str:
    """What to send to go on behind `last`."""
    text = f"{last.started_at.isoformat()} {last.conversation_uuid}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> Position:
    """The place a cursor stands for. Raises Problem 422."""
    try:
        padded = text + "=" * (-len(text) % 4)
        at, _, key = base64.urlsafe_b64decode(padded).decode("ascii").partition(" ")
        started_at = datetime.fromisoformat(at)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise invalid("the cursor is not one of ours") from None
    if started_at.tzinfo is None or not _is_key(key):
        raise invalid("the cursor is not one of ours")
    return Position(started_at, key)


def _is_key(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def list_active(resources: Resources, request: Request) -> ActiveCalls:
    """From the database, so that any worker answers for all."""
    with resources.reading() as connection:
        return ActiveCalls(calls=pages.list_active(connection, request.domain_uuid))


def show_conversation(resources: Resources, request: Request) -> ConversationDetail:
    """Everything of one conversation."""
    domain_uuid, key = request.domain_uuid, request.path["conversation_uuid"]
    with resources.reading() as connection:
        whole = conversations.find_conversation(connection, domain_uuid, key)
        if whole is None:
            raise not_found("conversation")
        turns = conversations.list_turns(connection, domain_uuid, key)
        return ConversationDetail(
            conversation=ConversationSummary.of(whole),
            recording=recording_of(whole, turns),
            turns=turns,
            function_calls=conversations.list_function_calls(connection, domain_uuid, key),
            transfers=conversations.list_transfers(connection, domain_uuid, key),
            usage=[
                _with_numbers(usage)
                for usage in conversations.list_usage(connection, domain_uuid, key)
            ],
            cost_usd=spending.conversation_cost(connection, domain_uuid, key),
        )


def _with_numbers(usage: UsageRecord) -> UsageRecord:
    """PostgreSQL's numeric comes as Decimal, which JSON would get as text."""
    return dataclasses.replace(
        usage,
        audio_seconds=float(usage.audio_seconds),
        transcription_seconds=float(usage.transcription_seconds),
    )


def watch_call(resources: Resources, request: Request) -> Reply:
    """Events of a call, as they are stored, until it has ended."""
    domain_uuid = request.domain_uuid
    resources.live.require_place()
    with resources.reading() as connection:
        key = pages.find_key_by_call(connection, domain_uuid, request.path["call_uuid"])
    if key is None:
        raise not_found("call")
    stream = EventStream(
        resources.live, resources.reading, domain_uuid, key, last_event_id=request.last_event_id
    )
    return Reply(HTTPStatus.OK, stream, "text/event-stream", _STREAM_HEADERS)
