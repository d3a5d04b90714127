"""Every hot statement finds its rows by an index, at the size of a large installation.

DB_PLAN_SIZE=full makes 1,000 domains, 20,000 secretaries and a million conversations (minutes:
give pytest a --timeout); by default far fewer, of the same shape, so that PostgreSQL has the same
reasons to choose a plan.
"""

import os
import time
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest
from psycopg2 import extensions

from esl_controller.database.repository import (
    conversations,
    leases,
    pages,
    privacy,
    providers,
    secretaries,
    spending,
    tenants,
    workers,
)
from esl_controller.database.repository.leases import Lease
from esl_controller.database.repository.pages import Position, Wanted
from tests.integration.db_fixtures import Recorder, TestDatabase

FULL = os.environ.get("DB_PLAN_SIZE") == "full"
DOMAINS = 1000 if FULL else 50
SECRETARIES = 20
CONVERSATIONS = 1_000_000 if FULL else 10_000
LARGE = {
    "v_voice_secretaries",
    "v_voice_secretaries_realtime",
    "v_voice_conversations_realtime",
    "v_voice_turns_realtime",
    "v_voice_function_calls_realtime",
    "v_voice_transfers_realtime",
    "v_voice_usage_realtime",
    "v_voice_call_leases_realtime",
    "v_voice_spending_realtime",
}

FILL = f"""
set session_replication_role = replica;
insert into v_domains (domain_uuid, domain_name, domain_enabled)
  select md5('d' || n)::uuid, 'd' || n || '.example', true from generate_series(1, {DOMAINS}) n;
insert into v_voice_realtime_settings (domain_uuid, retention_days)
  select domain_uuid, 30 from v_domains;
insert into v_voice_realtime_providers (domain_uuid, realtime_provider, provider_label)
  select domain_uuid, 'openai', 'p' || n from v_domains, generate_series(1, 3) n;
insert into v_voice_secretaries_realtime (domain_uuid, secretary_name, extension)
  select domain_uuid, 's', 8000 + n from v_domains, generate_series(1, {SECRETARIES}) n;
insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid, extension)
  select gen_random_uuid(), domain_uuid, 8000 + n from v_domains,
    generate_series(1, {SECRETARIES}) n;
insert into v_voice_conversations_realtime
    (conversation_uuid, domain_uuid, call_uuid, caller_id, started_at, ended_at, outcome, worker)
  select md5('c' || n)::uuid, md5('d' || 1 + n % {DOMAINS})::uuid, 'call' || n,
    '+5511' || n % 5000, now() - n % 60 * interval '1 day',
    case when n % 1000 > 0 then now() end, 'completed', 'w' || n % 8
  from generate_series(1, {CONVERSATIONS}) n;
insert into v_voice_turns_realtime
    (domain_uuid, conversation_uuid, turn_number, role, content, started_at)
  select domain_uuid, conversation_uuid, n, 'user', 'x', started_at
  from v_voice_conversations_realtime, generate_series(1, 2) n;
insert into v_voice_function_calls_realtime
    (domain_uuid, conversation_uuid, function_name, status, started_at)
  select domain_uuid, conversation_uuid, 'f', 'completed', started_at
  from v_voice_conversations_realtime;
insert into v_voice_transfers_realtime
    (domain_uuid, conversation_uuid, transfer_type, destination, status, started_at)
  select domain_uuid, conversation_uuid, 'blind', '200', 'completed', started_at
  from v_voice_conversations_realtime;
insert into v_voice_usage_realtime
    (domain_uuid, conversation_uuid, provider, occurred_at, cost_usd)
  select domain_uuid, conversation_uuid, 'openai', started_at, 0.01
  from v_voice_conversations_realtime;
insert into v_voice_spending_realtime (domain_uuid, began_at, cost_usd)
  select domain_uuid, now() - n * interval '15 minutes', 0.01
  from v_domains, generate_series(1, 1000) n;
insert into v_voice_call_leases_realtime (domain_uuid, call_uuid, worker, expires_at)
  select domain_uuid, 'call' || n, 'w', now() + (n - 50) * interval '1 minute'
  from v_domains, generate_series(1, 51) n;
vacuum analyze;
"""


@pytest.fixture(scope="module")
def large_database(postgres_server, migrated_template) -> TestDatabase:
    database = TestDatabase(postgres_server, "large")
    postgres_server.create_database("large", template=migrated_template)
    for statement in FILL.strip().split(";\n"):
        if statement:
            database.execute(statement)
    yield database
    database.disconnect()
    postgres_server.drop_database("large")


NOW = datetime.now(UTC)


def within(connection, domain_uuid: str, **more: str) -> Wanted:
    return Wanted(until=pages.find_edge(connection, domain_uuid, Wanted(), 100), **more)


HOT = {
    "find_realtime": lambda c, d, k: secretaries.find_realtime(c, d, "8007"),
    "find_turn_based": lambda c, d, k: secretaries.find_turn_based(c, d, "8007"),
    "list_extensions": lambda c, d, k: secretaries.list_extensions(c, d),
    "find_domain_name": lambda c, d, k: tenants.find_domain_name(c, d),
    "find_settings": lambda c, d, k: tenants.find_settings(c, d),
    "list_providers": lambda c, d, k: providers.list_providers(c, d),
    "find_conversation": lambda c, d, k: conversations.find_conversation(c, d, k),
    "list_page": lambda c, d, k: pages.list_page(c, d, Wanted(started_before=NOW), 50),
    "list_page_after": lambda c, d, k: pages.list_page(
        c, d, Wanted(after=Position(NOW - timedelta(days=20), k)), 50
    ),
    "find_edge": lambda c, d, k: pages.find_edge(c, d, Wanted(started_before=NOW), 1000),
    "list_page_within": lambda c, d, k: pages.list_page(c, d, within(c, d, text="of no call"), 50),
    "list_page_of_caller": lambda c, d, k: pages.list_page(c, d, Wanted(caller_id="+55117"), 50),
    "list_active": lambda c, d, k: pages.list_active(c, d),
    "find_summary": lambda c, d, k: pages.find_summary(c, d, k),
    "find_key_by_call": lambda c, d, k: pages.find_key_by_call(c, d, "call7"),
    "list_turns": lambda c, d, k: conversations.list_turns(c, d, k),
    "list_function_calls": lambda c, d, k: conversations.list_function_calls(c, d, k),
    "list_transfers": lambda c, d, k: conversations.list_transfers(c, d, k),
    "list_usage": lambda c, d, k: conversations.list_usage(c, d, k),
    "close_abandoned": lambda c, d, k: conversations.close_abandoned(c, d, "w1", NOW),
    "lease_lock": lambda c, d, k: leases.lock(c, d),
    "lease_count_by_provider": lambda c, d, k: leases.count_by_provider(c, d),
    "lease_hold": lambda c, d, k: leases.hold(
        c, d, [Lease("call51", d, None)], worker="w", duration_s=60
    ),
    "lease_release": lambda c, d, k: leases.release(c, d, "call51", worker="w"),
    "spent": lambda c, d, k: spending.spent(c, d, "America/Sao_Paulo"),
    "fold": lambda c, d, k: spending.fold(c, d),
    "by_provider": lambda c, d, k: spending.by_provider(c, d, "America/Sao_Paulo"),
    "besides_providers": lambda c, d, k: spending.besides_providers(c, d, "America/Sao_Paulo"),
    "find_owner": lambda c, d, k: workers.find_owner(c, d, "call7"),
    "conversation_cost": lambda c, d, k: spending.conversation_cost(c, d, k),
    "find_expired": lambda c, d, k: privacy.find_expired(c, d, 30, 500),
    "find_conversations_of": lambda c, d, k: privacy.find_conversations_of(c, d, "55117"),
    "erase_conversations": lambda c, d, k: privacy.erase_conversations(c, d, [k]),
}


def whole_scans(plan: dict) -> list[str]:
    """Large tables that a plan reads from end to end."""
    found = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    for inner in plan.get("Plans", ()):
        found += whole_scans(inner)
    return [table for table in found if table in LARGE]


@pytest.mark.slow
def test_hot_statements_use_an_index(large_database):
    connection = psycopg2.connect(large_database.dsn, connection_factory=Recorder)
    (domain, conversation), *_ = large_database.execute(
        """select domain_uuid::text, conversation_uuid::text from v_voice_conversations_realtime
           where call_uuid = 'call7'"""
    )
    scans, times = {}, {}
    for name, function in HOT.items():
        function(connection, domain, conversation)
        connection.rollback()
        connection.statements = []
        began = time.perf_counter()  # the second time: the first reads catalogue and disk
        function(connection, domain, conversation)
        times[name] = (time.perf_counter() - began) * 1000
        for statement in [s for s in connection.statements if "advisory" not in s]:
            cursor = extensions.connection.cursor(connection)
            cursor.execute(f"explain (format json) {statement}")
            scans[name] = scans.get(name, []) + whole_scans(cursor.fetchone()[0][0]["Plan"])
        connection.rollback()
    connection.close()
    for name, milliseconds in times.items():
        print(f"{name:30} {milliseconds:8.2f} ms")
    assert {name: tables for name, tables in scans.items() if tables} == {}


def test_counting_leases_reads_live_ones_only(large_database):
    """The count over all domains is bounded by calls in progress, not by domains."""
    plan = large_database.execute(
        """explain (format json) select count(*) from v_voice_call_leases_realtime
           where expires_at > now()"""
    )[0][0][0]["Plan"]
    assert whole_scans(plan) == []


def test_what_a_deletion_takes_along_is_found_by_an_index(large_database):
    """PostgreSQL makes no index for a reference: without ours a deleted domain reads all tables."""
    without = large_database.execute(
        """select conrelid::regclass::text, conname from pg_constraint c
           where contype = 'f' and conrelid::regclass::text like 'v\\_voice\\_%'
             and not exists (select 1 from pg_index i
               where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1] and i.indpred is null)"""
    )
    assert without == []
