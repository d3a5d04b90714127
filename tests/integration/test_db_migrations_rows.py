"""Migrations with rows in the tables: what calls, workers and budgets left there."""

import uuid

import pytest

from esl_controller.database.migrate import LEDGER, Migrator, load_migrations
from tests.integration.db_fixtures import TestDatabase
from tests.integration.db_states import STATES
from tests.integration.test_db_migrations import run_as_fusionpbx_does, snapshot

NEWEST = [migration.number for migration in load_migrations() if migration.number >= 15]
DOMAIN, CALL = str(uuid.uuid4()), str(uuid.uuid4())
ROWS = f"""
insert into v_domains (domain_uuid, domain_name) values ('{DOMAIN}', 'a.example');
insert into v_voice_conversations_realtime
  (conversation_uuid, domain_uuid, call_uuid, started_at, outcome, reason)
  values ('{CALL}', '{DOMAIN}', 'c-1', now(), 'completed', null),
         (gen_random_uuid(), '{DOMAIN}', 'c-2', now(), 'refused', 'closed');
insert into v_voice_function_calls_realtime
  (function_call_uuid, domain_uuid, conversation_uuid, function_name, arguments, status, started_at)
  select gen_random_uuid(), '{DOMAIN}', '{CALL}', 'end_call', '{{}}', status, now()
  from unnest(array['started', 'completed', 'refused']) status;
insert into v_voice_transfers_realtime
  (transfer_uuid, domain_uuid, conversation_uuid, transfer_type, destination, status, started_at)
  select gen_random_uuid(), '{DOMAIN}', '{CALL}', type, '1000', status, now()
  from unnest(array['blind', 'announced', 'three_way', 'voicemail', 'takeover', 'announced',
                    'announced'],
              array['passed_on', 'declined', 'unreachable', 'returned', 'completed', 'no_verdict',
                    'human_left'])
    as tried (type, status);
insert into v_voice_usage_realtime (usage_uuid, domain_uuid, provider, occurred_at, cost_usd)
  select gen_random_uuid(), '{DOMAIN}', 'openai', now() - n * interval '1 hour', 1.5
  from generate_series(0, 9) n;
insert into v_voice_realtime_settings (domain_uuid, time_zone) values ('{DOMAIN}', null);
insert into v_voice_workers_realtime
  (worker, host, http_url, esl_address, started_at, seen_at, version, capacity)
  values ('w', 'h', 'http://h:8085', 'h:8084', now(), now(), '2.0.0', 100);
"""


@pytest.fixture(params=STATES)
def in_use(request, empty_database) -> TestDatabase:
    """Migrated from each state, with rows of every new word."""
    empty_database.execute(STATES[request.param])
    Migrator(empty_database.dsn).up()
    empty_database.execute(ROWS)
    return empty_database


def rows(database: TestDatabase) -> dict[str, list]:
    tables = database.execute(
        "select table_name from information_schema.tables where table_schema = 'public'"
    )
    return {
        table: database.execute(f"select to_jsonb(t) from {table} t order by to_jsonb(t)::text")
        for (table,) in tables
        if table != LEDGER
    }


def spent(database: TestDatabase) -> object:
    ((sum_usd,),) = database.execute("select sum(cost_usd) from v_voice_spending_realtime")
    return sum_usd


def test_run_again_and_again_by_fusionpbx_no_row_changes(in_use):
    before, schema = rows(in_use), snapshot(in_use)
    for _ in range(2):
        run_as_fusionpbx_does(in_use)
        assert rows(in_use) == before
        assert snapshot(in_use) == schema


@pytest.mark.parametrize("number", NEWEST)
def test_each_of_the_newest_goes_and_comes_back_under_rows(in_use, number):
    schema, migrator = snapshot(in_use), Migrator(in_use.dsn)
    for _ in range(2):
        went = migrator.down(to=number - 1)
        assert len(went) == sum(one >= number for one in NEWEST)
        assert migrator.up() == went[::-1]
        assert snapshot(in_use) == schema
    assert spent(in_use) == 15  # added up again from the usage, not twice
    kept = "select count(*) from v_voice_function_calls_realtime"
    assert in_use.execute(kept) == [(3,)]
    assert in_use.execute(kept.replace("function_calls", "transfers")) == [(7,)]
    refused = "select count(*) from v_voice_conversations_realtime where outcome = 'refused'"
    assert in_use.execute(refused) == [(1 if number > 15 else 0,)]


def test_usage_from_before_keeps_what_it_had_and_budgets_see_no_difference(in_use):
    """The table of a release before 037 with a month of calls in it."""
    migrator = Migrator(in_use.dsn)
    migrator.down(to=36)
    before = rows(in_use)["v_voice_usage_realtime"]
    assert len(before) == 10
    assert migrator.up() == ["037_say_whose_bill_it_is.sql"]
    column = {"voice_realtime_provider_uuid": None}
    assert rows(in_use)["v_voice_usage_realtime"] == [(row | column,) for (row,) in before]
    assert spent(in_use) == 15
    in_use.execute(
        "update v_voice_usage_realtime set voice_realtime_provider_uuid = gen_random_uuid()"
    )
    assert spent(in_use) == 15


def test_the_older_schema_takes_the_rows_of_the_newer(in_use):
    """Going back never stops at a word the older check does not know."""
    Migrator(in_use.dsn).down(to=14)
    statuses = "select distinct status from v_voice_transfers_realtime order by 1"
    older = [("busy",), ("completed",), ("failed",), ("no_answer",)]
    assert in_use.execute(statuses) == older
    assert in_use.execute("select time_zone from v_voice_realtime_settings") == [("UTC",)]
    assert in_use.execute("select to_regclass('v_voice_workers_realtime')") == [(None,)]
