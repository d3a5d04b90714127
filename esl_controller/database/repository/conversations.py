"""What calls leave behind: written by the journal, read by the pages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from psycopg2.extensions import connection as Connection

from esl_controller.database.acts import AuditRecord, OutboundCall
from esl_controller.database.models import (
    ConversationRealtime,
    FunctionCallRecord,
    JournalEntry,
    TransferRecord,
    Turn,
    UsageRecord,
)
from esl_controller.database.repository.statements import (
    as_stored,
    columns,
    execute,
    fetch_all,
    fetch_one,
    insert_rows,
    rows_statement,
    upsert_statement,
    values,
)

_T = TypeVar("_T")

TEXT_LIMITS = {
    "call_uuid": 255,
    "caller_id": 100,
    "caller_name": 255,
    "destination": 100,
    "language": 16,
    "outcome": 50,
    "end_cause": 100,
    "error_code": 20,
    "transfer_destination": 100,
    "provider": 50,
    "model": 100,
    "worker": 255,
    "provider_call_id": 255,
    "function_name": 100,
    "hangup_cause": 64,
    "reason": 2000,
    "actor": 255,
    "action": 40,
    "detail": 4000,
    "error": 2000,
    "purpose": 2000,
    "number": 64,
    "record_path": 1000,
    "record_name": 255,
}
"""Characters of the columns others have a say in; a longer text would be refused."""

_CONVERSATIONS = "v_voice_conversations_realtime"
_OUTBOUND = "v_voice_outbound_realtime"
_TABLES: dict[type, str] = {
    ConversationRealtime: _CONVERSATIONS,
    Turn: "v_voice_turns_realtime",
    FunctionCallRecord: "v_voice_function_calls_realtime",
    TransferRecord: "v_voice_transfers_realtime",
    UsageRecord: "v_voice_usage_realtime",
    AuditRecord: "v_voice_audits_realtime",
    OutboundCall: _OUTBOUND,
}
_MERGED: dict[type, dict[str, str]] = {
    ConversationRealtime: {
        "total_turns": f"greatest(excluded.total_turns, {_CONVERSATIONS}.total_turns)",
        "interruptions": f"greatest(excluded.interruptions, {_CONVERSATIONS}.interruptions)",
        "transcript": f"case when excluded.transcript = '[]' then {_CONVERSATIONS}.transcript"
        " else excluded.transcript end",
    },
    # Asked for once. What has become of it since is the business of who makes the call.
    OutboundCall: {
        field.name: f"{_OUTBOUND}.{field.name}" for field in dataclasses.fields(OutboundCall)[2:]
    },
}
_LIMITS = {
    model: tuple(
        (field.name, TEXT_LIMITS[field.name])
        for field in dataclasses.fields(model)
        if field.name in TEXT_LIMITS
    )
    for model in _TABLES
}
_TOGETHER = {m: rows_statement(t, m, merged=_MERGED.get(m)) for m, t in _TABLES.items()}
_UPSERTS = {m: upsert_statement(t, m, merged=_MERGED.get(m)) for m, t in _TABLES.items()}


def store(connection: Connection, domain_uuid: str, entry: JournalEntry) -> bool:
    """Insert or complete one entry; False when its domain is gone, or its key another domain's.

    Raises ValueError when the entry is not of `domain_uuid`.
    """
    if entry.domain_uuid != domain_uuid:
        raise ValueError("entry of another domain")
    parameters = [*values(_fitted(entry)), domain_uuid]
    return execute(connection, _UPSERTS[type(entry)], parameters) == 1


def store_together(
    connection: Connection, domain_uuid: str, entries: Sequence[JournalEntry]
) -> set[str]:
    """Insert or complete entries of one kind, no key twice; return the keys of those stored.

    Not stored: all of them when the domain is gone, or one whose key is another domain's. Raises
    ValueError when an entry is not of `domain_uuid`.
    """
    if any(entry.domain_uuid != domain_uuid for entry in entries):
        raise ValueError("entry of another domain")
    fitted = [_fitted(entry) for entry in entries]
    stored = insert_rows(connection, _TOGETHER[type(entries[0])], domain_uuid, fitted)
    return {str(key) for (key,) in stored}


def _fitted(entry: JournalEntry) -> JournalEntry:
    """Cut what callers, models and peers wrote to what its column holds."""
    too_long = {
        name: text[:limit]
        for name, limit in _LIMITS[type(entry)]
        if (text := getattr(entry, name)) is not None and len(text) > limit
    }
    if not too_long:
        return entry
    record: Any = entry
    fitted: JournalEntry = dataclasses.replace(record, **too_long)
    return fitted


def find_conversation(
    connection: Connection, domain_uuid: str, conversation_uuid: str
) -> ConversationRealtime | None:
    """Return one conversation of the domain."""
    sql = f"""select {columns(ConversationRealtime)} from {_CONVERSATIONS}
              where domain_uuid = %s and conversation_uuid = %s"""
    row = fetch_one(connection, sql, (domain_uuid, conversation_uuid))
    return None if row is None else ConversationRealtime(**row)


def list_turns(connection: Connection, domain_uuid: str, conversation_uuid: str) -> list[Turn]:
    """Return what was said, in order."""
    return _parts(connection, domain_uuid, conversation_uuid, Turn, "turn_number, started_at")


def list_function_calls(
    connection: Connection, domain_uuid: str, conversation_uuid: str
) -> list[FunctionCallRecord]:
    """Return what the AI called, in order."""
    return _parts(connection, domain_uuid, conversation_uuid, FunctionCallRecord, "started_at")


def list_transfers(
    connection: Connection, domain_uuid: str, conversation_uuid: str
) -> list[TransferRecord]:
    """Return where the call was sent, in order."""
    return _parts(connection, domain_uuid, conversation_uuid, TransferRecord, "started_at")


def list_usage(
    connection: Connection, domain_uuid: str, conversation_uuid: str
) -> list[UsageRecord]:
    """Return what was consumed, in order."""
    return _parts(connection, domain_uuid, conversation_uuid, UsageRecord, "occurred_at")


def _parts(
    connection: Connection, domain_uuid: str, conversation_uuid: str, model: type[_T], order: str
) -> list[_T]:
    sql = f"""select {columns(model)} from {_TABLES[model]}
              where domain_uuid = %s and conversation_uuid = %s order by {order}"""
    rows: Sequence[Any] = fetch_all(connection, sql, (domain_uuid, conversation_uuid))
    return [model(**row) for row in rows]


def keep_summary(
    connection: Connection,
    domain_uuid: str,
    conversation_uuid: str,
    summary: str,
    fields: Mapping[str, Any] | None,
) -> None:
    """Store what a call was about; one that has been erased stays so."""
    sql = f"""update {_CONVERSATIONS} set summary = %s, summary_fields = %s
              where domain_uuid = %s and conversation_uuid = %s"""
    parameters = (as_stored(summary), as_stored(fields), domain_uuid, conversation_uuid)
    execute(connection, sql, parameters)


def close_abandoned(
    connection: Connection, domain_uuid: str, worker: str, ended_at: datetime
) -> int:
    """End what a worker that no longer lives left open; return how many.

    The end is the last thing known of the conversation, at most `ended_at`.
    """
    sql = f"""update {_CONVERSATIONS} c set outcome = 'failed', end_cause = 'worker_lost',
                ended_at = last.at,
                duration_seconds = extract(epoch from last.at - c.started_at)
              from (select o.conversation_uuid, least(%s, greatest(o.started_at,
                      max(t.started_at), max(t.ended_at))) as at
                    from {_CONVERSATIONS} o left join v_voice_turns_realtime t
                      on t.domain_uuid = o.domain_uuid
                        and t.conversation_uuid = o.conversation_uuid
                    where o.domain_uuid = %s and o.worker = %s and o.ended_at is null
                    group by o.conversation_uuid, o.started_at) as last
              where c.domain_uuid = %s and c.conversation_uuid = last.conversation_uuid
                and c.ended_at is null"""
    return execute(connection, sql, (ended_at, domain_uuid, worker, domain_uuid))
