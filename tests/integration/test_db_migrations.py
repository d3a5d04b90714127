"""Migrations on every state a database can be in: up, again, down, up; and when they fail."""

import re
import uuid
from pathlib import Path

import gevent
import psycopg2
import pytest
from psycopg2 import extensions

from esl_controller.database.migrate import LEDGER, MigrationError, Migrator, State, load_migrations
from esl_controller.database.models import ProcessingMode, RouteEntry, TurnBasedEntry
from esl_controller.database.pool import Pool
from esl_controller.database.repository.demo import DemoProvider, demo_seed
from esl_controller.tenants.source import ConfigSource
from tests.integration.db_fixtures import TestDatabase
from tests.integration.db_states import (
    COLUMNS,
    CONSTRAINTS,
    FUSIONPBX,
    INDEXES,
    STATES,
    TRIGGERS,
    V1_BY_UPGRADE_ON_OURS,
    V1_SQL,
)

NEW_TABLES = {
    "v_voice_secretaries_realtime",
    "v_voice_conversations_realtime",
    "v_voice_realtime_providers",
    "v_voice_realtime_settings",
    "v_voice_realtime_functions",
    "v_voice_realtime_documents",
    "v_voice_realtime_passages",
    "v_voice_realtime_embeddings",
    "v_voice_turns_realtime",
    "v_voice_function_calls_realtime",
    "v_voice_transfers_realtime",
    "v_voice_usage_realtime",
    "v_voice_call_leases_realtime",
    "v_voice_spending_realtime",
    "v_voice_outside_transfers_realtime",
    "v_voice_spent_tickets_realtime",
    "v_voice_audits_realtime",
    "v_voice_outbound_realtime",
    "v_voice_realtime_errands",
    "v_voice_workers_realtime",
}
OF_THE_INSTALLATION = {"v_voice_workers_realtime"}
"""Workers serve every domain; their register holds nothing of a tenant."""
NOT_FUSIONPBXS = {"v_voice_realtime_embeddings"}
"""Not declared to FusionPBX, whose upgrade would alter its list of numbers each time."""
NOT_DECLARED = {("v_voice_realtime_passages", "lexemes")}
"""As these."""
FUSIONPBX_STABLE_TYPES = {
    "uuid",
    "text",
    "boolean",
    "numeric",
    "integer",
    "jsonb",
    "date",
    "timestamp with time zone",
    "character varying",
}


def snapshot(database: TestDatabase, *, tables: set[str] | None = None) -> dict[str, list]:
    """Everything of the schema that matters, of all tables or of `tables`."""
    queries = {
        "columns": COLUMNS,
        "constraints": CONSTRAINTS,
        "indexes": INDEXES,
        "triggers": TRIGGERS,
    }
    return {
        name: [
            _without_casts(row)
            for row in database.execute(sql)
            if row[0] != LEDGER and (tables is None or row[0] in tables)
        ]
        for name, sql in queries.items()
    }


def _without_casts(row: tuple) -> tuple:
    """PostgreSQL writes a check it parsed a second time with other casts and parentheses."""
    *rest, last = row
    if isinstance(last, str) and last.startswith("CHECK"):
        last = re.sub(r"::[a-z ]+(\[\])?|[() ]", "", last)
    return (*rest, last)


@pytest.fixture(params=STATES)
def started(request, empty_database) -> TestDatabase:
    empty_database.execute(STATES[request.param])
    return empty_database


@pytest.fixture(scope="session")
def reference(postgres_server, migrated_template) -> dict[str, list]:
    """Our tables as a fresh FusionPBX gets them."""
    template = TestDatabase(postgres_server, migrated_template)
    reference = snapshot(template, tables=NEW_TABLES)
    template.disconnect()
    return reference


def test_all_states_end_alike_and_can_be_used(started, reference, secret_store):
    Migrator(started.dsn).up()
    assert snapshot(started, tables=NEW_TABLES) == reference
    whole = snapshot(started)
    run_as_fusionpbx_does(started)
    assert snapshot(started) == whole
    can_be_used(started, secret_store)


def test_files_run_without_our_runner(empty_database, reference):
    empty_database.execute(FUSIONPBX)
    run_as_fusionpbx_does(empty_database)
    assert snapshot(empty_database, tables=NEW_TABLES) == reference


def run_as_fusionpbx_does(database: TestDatabase) -> None:
    """Each file whole in one call, whatever was run before (docs/operations.md)."""
    for migration in load_migrations():
        database.execute(f"set local lock_timeout = '15s'; {migration.up}")


def can_be_used(database: TestDatabase, secret_store) -> None:
    provider = DemoProvider(base_url="ws://127.0.0.1:9/")
    tenant = database.seed(extension="8000", provider=provider)
    pool = Pool(database.dsn, size=1)
    source = ConfigSource(pool, secret_store)
    route = source.load(tenant.domain_uuid, "8000")
    assert isinstance(route, RouteEntry)
    assert route.processing_mode is ProcessingMode.REALTIME
    assert source.load(tenant.domain_uuid, "8001") is None
    pool.close()


def test_down_gives_back_what_was_there_and_up_works_again(started):
    before = snapshot(started)
    migrator = Migrator(started.dsn)
    migrator.up()
    after = snapshot(started)
    assert len(migrator.down(to=6)) == len(load_migrations())
    assert snapshot(started) == before
    assert started.execute("select to_regclass(%s)", LEDGER) == [(None,)]
    migrator.up()
    assert snapshot(started) == after


@pytest.mark.parametrize("version_1", [V1_BY_UPGRADE_ON_OURS, V1_SQL])
def test_version_1_installed_after_ours_stays_when_ours_goes(version_1, empty_database):
    database = empty_database
    database.execute(FUSIONPBX)
    migrator = Migrator(database.dsn)
    migrator.up()
    database.execute(version_1)
    columns = database.execute(COLUMNS)
    database.execute(
        """insert into v_domains values (gen_random_uuid(), null, 'a.example', true);
           insert into v_voice_secretaries (voice_secretary_uuid, domain_uuid, extension)
             select gen_random_uuid(), domain_uuid, '8000' from v_domains"""
    )
    migrator.up()
    migrator.down(to=6)
    theirs = [row for row in columns if row[0] not in NEW_TABLES | {LEDGER}]
    assert database.execute(COLUMNS) == theirs
    assert database.execute("select extension from v_voice_secretaries") == [("8000",)]


def test_tables_made_by_fusionpbx_first_become_the_same(empty_database, reference):
    """An app_config.php that declares our tables: columns and key only."""
    empty_database.execute(FUSIONPBX)
    for table in sorted(NEW_TABLES - NOT_FUSIONPBXS):
        columns = [
            row
            for row in reference["columns"]
            if row[0] == table and (table, row[1]) not in NOT_DECLARED
        ]
        keys = [row[2] for row in reference["constraints"] if row[0] == table]
        key = next(definition for definition in keys if definition.startswith("PRIMARY KEY"))
        fields = ", ".join(f"{row[1]} {_declared(row)}" for row in columns)
        empty_database.execute(f"create table {table} ({fields}, {key})")
    Migrator(empty_database.dsn).up()
    assert snapshot(empty_database, tables=NEW_TABLES) == reference


def _declared(row: tuple) -> str:
    _table, _name, kind, length, precision, scale, *_rest = row
    if length is not None:
        return f"{kind}({length})"
    return f"{kind}({precision},{scale})" if kind == "numeric" else kind


def test_types_are_those_fusionpbx_leaves_alone(reference):
    declared = [
        row
        for row in reference["columns"]
        if row[0] not in NOT_FUSIONPBXS and (row[0], row[1]) not in NOT_DECLARED
    ]
    assert {row[2] for row in declared} <= FUSIONPBX_STABLE_TYPES


def test_every_table_belongs_to_a_domain_and_goes_with_it(reference):
    owned = {row[0] for row in reference["columns"] if row[1] == "domain_uuid" and row[7] == "NO"}
    cascading = {
        row[0]
        for row in reference["constraints"]
        if row[2].startswith("FOREIGN KEY (domain_uuid)") and row[2].endswith("ON DELETE CASCADE")
    }
    assert owned == cascading == NEW_TABLES - OF_THE_INSTALLATION


@pytest.mark.parametrize("flag", ["enabled", "is_enabled"])
def test_version_1_secretaries_decide_their_numbers(flag, empty_database, secret_store):
    state = "v1_by_sql" if flag == "enabled" else "predecessor"
    database = empty_database
    database.execute(STATES[state])
    Migrator(database.dsn).up()
    tenant = database.seed(extension="8000", provider=DemoProvider(base_url="ws://127.0.0.1:9/"))
    database.execute(
        """insert into v_voice_secretaries
             (domain_uuid, secretary_name, personality_prompt, extension)
           values (%s, 'old', 'kind', '8000')""",
        tenant.domain_uuid,
    )
    pool = Pool(database.dsn, size=1)
    source = ConfigSource(pool, secret_store)
    assert isinstance(source.load(tenant.domain_uuid, "8000"), TurnBasedEntry)
    database.execute("update v_voice_secretaries set processing_mode = 'auto'")
    route = source.load(tenant.domain_uuid, "8000")
    assert isinstance(route, RouteEntry)
    assert route.processing_mode is ProcessingMode.AUTO
    database.execute(f"update v_voice_secretaries set {flag} = false")
    assert source.load(tenant.domain_uuid, "8000").processing_mode is ProcessingMode.REALTIME
    with pytest.raises(psycopg2.errors.CheckViolation):
        database.execute("update v_voice_secretaries set processing_mode = 'x'")
    pool.close()


def test_version_1_providers_may_be_realtime_and_the_old_check_comes_back(empty_database):
    database = empty_database
    database.execute(STATES["v1_by_sql"])
    domain = str(uuid.uuid4())
    database.execute("insert into v_domains values (%s, null, 'a.example', true)", domain)
    insert = f"""insert into v_voice_ai_providers (domain_uuid, provider_type, provider_name)
                 values ('{domain}', 'realtime', 'openai_realtime')"""
    with pytest.raises(psycopg2.errors.CheckViolation):
        database.execute(insert)
    migrator = Migrator(database.dsn)
    migrator.up()
    database.execute(insert)
    migrator.down(to=6)  # the row that no longer fits stays
    assert database.execute("select count(*) from v_voice_ai_providers") == [(1,)]
    with pytest.raises(psycopg2.errors.CheckViolation):
        database.execute(insert.replace("openai_realtime", "gemini_live"))


def test_rows_of_version_1_survive_up_and_down(empty_database):
    database = empty_database
    database.execute(STATES["predecessor"])
    domain = str(uuid.uuid4())
    database.execute("insert into v_domains values (%s, null, 'a.example', true)", domain)
    database.execute(
        f"""insert into v_voice_secretaries
              (domain_uuid, secretary_name, personality_prompt, extension, processing_mode)
            values ('{domain}', 'a', 'p', '8000', 'realtime'),
                   ('{domain}', 'b', 'p', '8001', 'odd'),
                   ('{domain}', 'c', 'p', '8002', null)"""
    )
    migrator = Migrator(database.dsn)
    migrator.up()
    migrator.down(to=6)
    rows = database.execute(
        "select secretary_name, extension, processing_mode from v_voice_secretaries order by 1"
    )
    modes = ["realtime", "turn_based", "turn_based"]
    assert rows == [("a", "8000", modes[0]), ("b", "8001", modes[1]), ("c", "8002", modes[2])]


def test_status_and_dry_run(empty_database):
    empty_database.execute(FUSIONPBX)
    migrator = Migrator(empty_database.dsn)
    names = [migration.name for migration in load_migrations()]
    assert {status.state for status in migrator.status()} == {State.PENDING}
    before = snapshot(empty_database)
    assert migrator.up(dry_run=True) == names
    assert snapshot(empty_database) == before
    assert {status.state for status in migrator.status()} == {State.PENDING}
    assert migrator.up() == names
    assert {status.state for status in migrator.status()} == {State.APPLIED}
    assert migrator.up() == []
    assert migrator.down(to=6, dry_run=True) == names[::-1]
    assert {status.state for status in migrator.status()} == {State.APPLIED}


def test_a_changed_file_is_run_again_with_all_after_it(empty_database, tmp_path):
    empty_database.execute(FUSIONPBX)
    for number in (1, 2, 3):
        (tmp_path / f"00{number}_step.sql").write_text(
            f"create table if not exists t{number} (a int)"
        )
    Migrator(empty_database.dsn, directory=tmp_path).up()
    (tmp_path / "002_step.sql").write_text("create table if not exists t2 (a int, b int)")
    (tmp_path / "003_step.sql").unlink()
    migrator = Migrator(empty_database.dsn, directory=tmp_path)
    states = {status.name: status.state for status in migrator.status()}
    assert states == {
        "001_step.sql": State.APPLIED,
        "002_step.sql": State.CHANGED,
        "003_step.sql": State.UNKNOWN,
    }
    assert migrator.up() == ["002_step.sql"]


def test_a_failing_file_names_its_line_and_leaves_nothing(empty_database, tmp_path):
    empty_database.execute(FUSIONPBX)
    (tmp_path / "001_good.sql").write_text("create table good (a integer);")
    (tmp_path / "002_bad.sql").write_text(
        "create table half (a integer);\n\n-- a comment\ninsert into half\n  values (1), (gone);\n"
    )
    migrator = Migrator(empty_database.dsn, directory=tmp_path)
    with pytest.raises(MigrationError, match=r"002_bad\.sql, line 5: .*gone.*\n.*rolled back"):
        migrator.up()
    assert empty_database.execute("select to_regclass('good')::text, to_regclass('half')") == [
        ("good", None)
    ]
    assert [status.state for status in migrator.status()] == [State.APPLIED, State.PENDING]


def test_an_error_while_running_names_the_statement(empty_database, tmp_path):
    empty_database.execute(FUSIONPBX)
    (tmp_path / "001_bad.sql").write_text(
        "select 1;\ndo $$\nbegin\n  raise exception 'no; no' using hint = 'do so';\nend $$;"
    )
    with pytest.raises(MigrationError, match=r"001_bad\.sql, line 2: no; no\nhint: do so"):
        Migrator(empty_database.dsn, directory=tmp_path).up()


def test_another_program_s_database_is_refused(empty_database):
    with pytest.raises(MigrationError, match=r"007_.*line 10: table v_domains is missing"):
        Migrator(empty_database.dsn).up()


def test_a_database_that_knows_no_letters_is_refused(bytes_database):
    bytes_database.execute(FUSIONPBX)
    migrator = Migrator(bytes_database.dsn)
    for attempt in (migrator.up, lambda: migrator.up(dry_run=True)):
        with pytest.raises(MigrationError) as refused:
            attempt()
        told = f"{bytes_database.name} has encoding SQL_ASCII instead of UTF8: copy it with"
        assert told in str(refused.value)
    assert {status.state for status in migrator.status()} == {State.PENDING}


def test_a_database_that_is_away_is_said(tmp_path):
    with pytest.raises(MigrationError, match="cannot connect"):
        Migrator(f"host={tmp_path} dbname=none").up()


def test_a_role_without_the_right_is_told_so(empty_database):
    empty_database.execute(FUSIONPBX)
    Migrator(empty_database.dsn).up()
    empty_database.execute("create role voice_ai_stranger login")
    migrator = Migrator(extensions.make_dsn(empty_database.dsn, user="voice_ai_stranger"))
    for attempt in (migrator.status, migrator.up, lambda: migrator.loses(to=0)):
        with pytest.raises(MigrationError, match="permission denied for table voice_ai_schema"):
            attempt()
    empty_database.execute("drop role voice_ai_stranger")


def test_two_runners_at_once_do_the_work_once(empty_database):
    empty_database.execute(FUSIONPBX)
    runs = [gevent.spawn(Migrator(empty_database.dsn).up) for _ in range(3)]
    done = sorted(len(run.get(timeout=20)) for run in runs)
    assert done == [0, 0, len(load_migrations())]


def test_wrong_names_are_refused(tmp_path: Path):
    (tmp_path / "7_short.sql").write_text("")
    with pytest.raises(MigrationError, match="NNN_what"):
        load_migrations(tmp_path)
    (tmp_path / "7_short.sql").unlink()
    with pytest.raises(MigrationError, match="no migrations"):
        load_migrations(tmp_path)


def test_deleting_a_domain_takes_everything_of_it(database, owners_pool):
    tenant = database.seed()
    other = database.seed()
    with owners_pool.connection() as connection:
        demo_seed(connection, tenant.domain_uuid, "8001")
    database.execute("delete from v_domains where domain_uuid = %s", tenant.domain_uuid)
    left = database.execute("select distinct domain_uuid::text from v_voice_secretaries_realtime")
    assert left == [(other.domain_uuid,)]
