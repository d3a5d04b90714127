"""What the pages read: conversations page by page, and those going on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection

from esl_controller.database.models import ConversationRealtime
from esl_controller.database.repository.statements import columns, execute, fetch_all, fetch_one

_CONVERSATIONS = "v_voice_conversations_realtime"
CHANNEL = "voice_ai_conversation"
"""Notified with `domain_uuid conversation_uuid` when something of a conversation was stored."""
WATCHED_KEY = 0x76616C76  # 'valv'
"""Who watches holds this advisory lock, shared, for as long as it listens."""
MAX_ACTIVE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSummary:
    """A conversation without what was said."""

    conversation_uuid: str
    domain_uuid: str
    call_uuid: str
    secretary_realtime_uuid: str | None
    caller_id: str | None
    caller_name: str | None
    destination: str | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    duration_seconds: int | None
    total_turns: int
    interruptions: int
    avg_latency_ms: int | None
    max_latency_ms: int | None
    language: str | None
    outcome: str | None
    end_cause: str | None
    error_code: str | None
    reason: str | None
    transfer_destination: str | None
    provider: str | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    estimated_cost: Decimal | None
    direction: str | None
    answered_by: str | None
    recording_consent: str | None
    summary: str | None
    """By a model, after the call; null where none is wanted, or yet."""
    summary_fields: Mapping[str, Any] | None

    @classmethod
    def of(cls, conversation: ConversationRealtime) -> ConversationSummary:
        """What a page shows of a whole row."""
        return cls(**{field.name: getattr(conversation, field.name) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Position:
    """A conversation's place among all, newest first."""

    started_at: datetime
    conversation_uuid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Conditions; None for any."""

    started_from: datetime | None = None
    started_before: datetime | None = None
    outcome: str | None = None
    destination: str | None = None
    caller_id: str | None = None
    caller_suffix: str | None = None
    """The last digits of the caller's number."""
    secretary_realtime_uuid: str | None = None
    provider: str | None = None
    error_code: str | None = None
    failed: bool | None = None
    """Only calls that the AI did not take or keep."""
    text: str | None = None
    """Said in it by either side."""
    after: Position | None = None
    until: Position | None = None
    """The last one, itself included."""


OUTCOMES = ("completed", "transferred", "abandoned", "timeout", "failed", "fallback", "refused")
FAILED = ("failed", "fallback", "refused")
"""Outcomes of calls that the AI did not take or keep."""
MAX_COUNTED = 10_000
_SAID = """conversation_uuid in (select t.conversation_uuid from v_voice_turns_realtime t
             where t.domain_uuid = c.domain_uuid and t.content ilike %s)"""
_COLUMNS = columns(ConversationSummary)


def list_page(
    connection: Connection, domain_uuid: str, wanted: Wanted, limit: int
) -> list[ConversationSummary]:
    """Return at most `limit` conversations, newest first."""
    conditions, parameters = _conditions(wanted)
    sql = f"""select {_COLUMNS} from {_CONVERSATIONS} c where domain_uuid = %s{conditions}
              order by started_at desc, conversation_uuid desc limit %s"""
    rows = fetch_all(connection, sql, (domain_uuid, *parameters, limit))
    return [ConversationSummary(**row) for row in rows]


def find_edge(
    connection: Connection, domain_uuid: str, wanted: Wanted, rows: int
) -> Position | None:
    """Return where the next so many conversations end, all of that time, wanted otherwise or not;
    None where there are fewer. What reads up to there looks at that many, however few it finds."""
    conditions, parameters = _conditions(
        Wanted(
            started_from=wanted.started_from,
            started_before=wanted.started_before,
            after=wanted.after,
        )
    )
    sql = f"""select started_at, conversation_uuid from {_CONVERSATIONS} c
              where domain_uuid = %s{conditions}
              order by started_at desc, conversation_uuid desc offset %s limit 1"""
    row = fetch_one(connection, sql, (domain_uuid, *parameters, rows - 1))
    return None if row is None else Position(**row)


def count_page(connection: Connection, domain_uuid: str, wanted: Wanted) -> int:
    """Return how many conversations there are on all pages, at most MAX_COUNTED."""
    conditions, parameters = _conditions(replace(wanted, after=None))
    sql = f"""select count(*) as total from (select 1 from {_CONVERSATIONS} c
              where domain_uuid = %s{conditions} limit %s) as counted"""
    row = fetch_one(connection, sql, (domain_uuid, *parameters, MAX_COUNTED))
    assert row is not None  # an aggregate without GROUP BY has one row
    total: int = row["total"]
    return total


def _conditions(wanted: Wanted) -> tuple[str, list[Any]]:
    conditions = {
        "started_at >= %s": wanted.started_from,
        "started_at < %s": wanted.started_before,
        "outcome = %s": wanted.outcome,
        "destination = %s": wanted.destination,
        "caller_id = %s": wanted.caller_id,
        "caller_id like %s": _like(wanted.caller_suffix, end=""),
        "secretary_realtime_uuid = %s": wanted.secretary_realtime_uuid,
        "provider = %s": wanted.provider,
        "error_code = %s": wanted.error_code,
        "outcome = any(%s)": list(FAILED) if wanted.failed else None,
        _SAID: _like(wanted.text, end="%"),
    }
    chosen = {text: value for text, value in conditions.items() if value is not None}
    parameters = list(chosen.values())
    sql = "".join(f" and {text}" for text in chosen)
    if wanted.after is not None:  # the first condition is there for the index
        at, key = wanted.after.started_at, wanted.after.conversation_uuid
        sql += " and started_at <= %s and (started_at, conversation_uuid) < (%s, %s)"
        parameters += [at, at, key]
    if wanted.until is not None:
        at, key = wanted.until.started_at, wanted.until.conversation_uuid
        sql += " and started_at >= %s and (started_at, conversation_uuid) >= (%s, %s)"
        parameters += [at, at, key]
    return sql, parameters


def _like(text: str | None, *, end: str) -> str | None:
    """A pattern for LIKE that begins with anything; what stands for more in it is meant itself."""
    if text is None:
        return None
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + end


def list_all_active(connection: Connection) -> list[ConversationSummary]:
    """Return what goes on in every domain that exists, newest first: for the operator alone."""
    sql = f"""select {_COLUMNS} from {_CONVERSATIONS} where ended_at is null
                and domain_uuid in (select domain_uuid from v_domains)
              order by started_at desc limit %s"""
    return [ConversationSummary(**row) for row in fetch_all(connection, sql, (MAX_ACTIVE,))]


def list_active(connection: Connection, domain_uuid: str) -> list[ConversationSummary]:
    """Return conversations that have not ended, newest first."""
    sql = f"""select {_COLUMNS} from {_CONVERSATIONS}
              where domain_uuid = %s and ended_at is null order by started_at desc limit %s"""
    rows = fetch_all(connection, sql, (domain_uuid, MAX_ACTIVE))
    return [ConversationSummary(**row) for row in rows]


def find_summary(
    connection: Connection, domain_uuid: str, conversation_uuid: str
) -> ConversationSummary | None:
    """Return one conversation of the domain."""
    sql = f"""select {_COLUMNS} from {_CONVERSATIONS}
              where domain_uuid = %s and conversation_uuid = %s"""
    row = fetch_one(connection, sql, (domain_uuid, conversation_uuid))
    return None if row is None else ConversationSummary(**row)


def find_key_by_call(connection: Connection, domain_uuid: str, call_uuid: str) -> str | None:
    """Return the `conversation_uuid` of a call of the domain, of its latest conversation."""
    sql = f"""select conversation_uuid from {_CONVERSATIONS}
              where domain_uuid = %s and call_uuid = %s order by started_at desc limit 1"""
    row = fetch_one(connection, sql, (domain_uuid, call_uuid))
    return None if row is None else row["conversation_uuid"]


def announce(connection: Connection, domain_uuid: str, conversation_uuids: list[str]) -> None:
    """Tell those who watch, once this transaction commits, that there is something to read.

    When nobody watches nothing is told: commits that notify wait for each other, in the whole
    database (PostgreSQL, src/backend/commands/async.c). The lock can be had only then; somebody
    who begins to watch meanwhile waits for it until this commit, and reads what it stored.

    Only names travel: what was said stays in tables, and a payload may have 8000 bytes at most
    (PostgreSQL manual, NOTIFY).
    """
    sql = """select pg_notify(%s, %s::text || ' ' || conversation_uuid)
             from unnest(%s::text[]) as told (conversation_uuid)
             where not pg_try_advisory_xact_lock(%s)"""
    execute(connection, sql, (CHANNEL, domain_uuid, conversation_uuids, WATCHED_KEY))
