"""Nothing of a caller is left in any table of a domain: by enumeration, so that a new table fails
until somebody has said what becomes of its rows."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from psycopg2.errors import CheckViolation

from esl_controller.record.recordings import Recordings
from esl_controller.record.retention import Retention, erase_caller, erase_conversation
from tests.integration.db_tenants import Tenant, populated

NOWHERE = Recordings("/nowhere")
NUMBER = "5511987654321"
MARK = f"+{NUMBER}"
KEPT = {
    "v_domains": "FusionPBX's",
    "v_voice_secretaries": "the tenant's own words",
    "v_voice_secretaries_realtime": "the tenant's own words",
    "v_voice_realtime_settings": "the tenant's own words",
    "v_voice_realtime_providers": "the tenant's own words",
    "v_voice_realtime_functions": "the tenant's own words",
    "v_voice_realtime_documents": "the tenant's own texts",
    "v_voice_realtime_passages": "the tenant's own texts",
    "v_voice_realtime_embeddings": "the tenant's own texts, as numbers; they go with their passage",
    "v_voice_usage_realtime": "what was spent, without the conversation: budgets are sums of it",
    "v_voice_spending_realtime": "what was spent, by day",
    "v_voice_outside_transfers_realtime": "how many calls went outside, by hour",
    "v_voice_spent_tickets_realtime": "keys of tickets, for a minute",
    "v_voice_call_leases_realtime": "keys of calls, for a minute",
}
"""Tables that hold nothing of a caller, and why."""
NOT_THEIRS = {
    "v_voice_audits_realtime": {"call_uuid", "actor", "action", "result", "worker"},
    "v_voice_conversations_realtime": {"call_uuid", "record_path", "record_name"},
    "v_voice_realtime_errands": {"kind", "state"},
    "v_voice_outbound_realtime": {"status"},
}
"""Columns that say who did what to a call, or what is found by: nobody's words."""
_COLUMNS = """select c.table_name, array_agg(c.column_name::text || '|'
    || case when c.character_maximum_length < 15 then 'a word' else c.data_type end)
  from information_schema.columns c
  join information_schema.columns d on d.table_name = c.table_name
    and d.table_schema = c.table_schema and d.column_name = 'domain_uuid'
  where c.table_schema = 'public' group by 1 order by 1"""


def tables(database: Any) -> dict[str, dict[str, str]]:
    """Columns with their types, of every table whose rows belong to a domain."""
    return {
        table: dict(one.split("|") for one in columns)
        for table, columns in database.execute(_COLUMNS)
    }


def fill(database: Any, domain_uuid: str) -> set[str]:
    """Put the caller's number into whatever may hold a text; return the tables that hold it."""
    filled = set()
    for table, columns in tables(database).items():
        if table in KEPT:
            continue
        for name, kind in columns.items():
            value = {"jsonb": json.dumps({"said": MARK})}.get(kind, MARK)
            if name in NOT_THEIRS.get(table, ()) or kind not in _TEXTS:
                continue
            sql = f"update {table} set {name} = %s where domain_uuid = %s returning 1"
            with suppress(CheckViolation):  # one of a few words
                assert database.execute(sql, value, domain_uuid), f"no row of {table}"
                filled.add(table)
    return filled


_TEXTS = ("text", "character varying", "jsonb")


def holding(database: Any, domain_uuid: str) -> set[str]:
    """Tables that hold the number, in whatever column."""
    sql = "select 1 from {} t where domain_uuid = %s and to_jsonb(t)::text like %s limit 1"
    return {
        table
        for table in tables(database)
        if database.execute(sql.format(table), domain_uuid, f"%{NUMBER}%")
    }


@pytest.fixture
def mine(database: Any, pool: Any) -> Tenant:
    """Everything of two domains holds the number; each table is either meant or told of."""
    one = populated(database)
    database.execute("update v_voice_conversations_realtime set ended_at = now()")
    # A call of ours that nobody answered has no conversation.
    database.execute(
        """insert into v_voice_audits_realtime (audit_uuid, domain_uuid, call_uuid, actor, action,
             detail, result, acted_at)
           values (gen_random_uuid(), %s, 'another', 'maria', 'dial', 'x', 'done', now())""",
        one.domain_uuid,
    )
    filled = fill(database, one.domain_uuid)
    assert filled | set(KEPT) == set(tables(database)), "say what becomes of a new table's rows"
    assert holding(database, one.domain_uuid) == filled
    return one


def test_erasing_a_caller_reaches_every_table(database: Any, pool: Any, mine: Tenant) -> None:
    other = populated(database)
    untouched = fill(database, other.domain_uuid)
    erase_caller(pool, mine.domain_uuid, "+55 11 98765-4321", NOWHERE)
    assert holding(database, mine.domain_uuid) == set()
    assert holding(database, other.domain_uuid) == untouched


def test_erasing_a_conversation_reaches_every_table_but_calls_to_come(
    database: Any, pool: Any, mine: Tenant
) -> None:
    database.execute("delete from v_voice_audits_realtime where call_uuid = 'another'")
    erase_conversation(pool, mine.domain_uuid, mine.conversation_uuid, NOWHERE)
    assert holding(database, mine.domain_uuid) <= {"v_voice_outbound_realtime"}


def test_what_is_too_old_goes_from_every_table(database: Any, pool: Any, mine: Tenant) -> None:
    for table, columns in tables(database).items():
        times = [name for name, kind in columns.items() if kind.startswith("timestamp")]
        if table not in KEPT and times:
            old = ", ".join(f"{name} = now() - interval '40 days'" for name in times)
            database.execute(f"update {table} set {old} where domain_uuid = %s", mine.domain_uuid)
    database.execute("update v_voice_realtime_settings set retention_days = 30")
    Retention(pool, NOWHERE).run_once()
    assert holding(database, mine.domain_uuid) == set()
