"""What the database itself says of settings, and refuses, is what the program does."""

import psycopg2
import pytest

from esl_controller.database.migrate import Migrator
from esl_controller.database.pool import Pool
from esl_controller.database.repository.demo import DemoProvider
from esl_controller.tenants.columns.provider import PROVIDER
from esl_controller.tenants.columns.secretary import SECRETARY
from esl_controller.tenants.columns.tenant import TENANT
from esl_controller.tenants.source import ConfigSource
from tests.integration.db_states import STATES
from tests.integration.test_db_migrations import run_as_fusionpbx_does

SETTINGS = {
    "v_voice_secretaries_realtime": SECRETARY,
    "v_voice_realtime_providers": PROVIDER,
    "v_voice_realtime_settings": TENANT,
}


def test_the_database_says_what_its_columns_mean(database):
    for table, columns in SETTINGS.items():
        said = dict(
            database.execute(
                """select attname, col_description(attrelid, attnum) from pg_attribute
                   where attrelid = to_regclass(%s) and attnum > 0""",
                table,
            )
        )
        assert {name: said[name] for name in columns} == {
            name: column.meaning.en for name, column in columns.items()
        }


LIMITED = [
    (table, name, column)
    for table, columns in SETTINGS.items()
    for name, column in columns.items()
    if column.rule.limits is not None and name != "priority"  # as its type is
]


@pytest.mark.parametrize(("table", "name", "column"), LIMITED, ids=lambda part: str(part)[:40])
def test_the_database_refuses_numbers_outside_the_limits(database, table, name, column):
    tenant = database.seed(provider=DemoProvider())
    database.execute(
        "insert into v_voice_realtime_settings (domain_uuid) values (%s)", tenant.domain_uuid
    )
    least, most = column.rule.limits
    for value in (least, most):
        database.execute(f"update {table} set {name} = %s", value)
    for value in (least - 1, most + 1):
        with pytest.raises(psycopg2.errors.CheckViolation if most < 10**9 else psycopg2.Error):
            database.execute(f"update {table} set {name} = %s", value)


def test_rows_from_before_the_limits_stay_and_are_used(empty_database, secret_store):
    database = empty_database
    database.execute(STATES["fresh"])
    migrator = Migrator(database.dsn)
    migrator.up()
    migrator.down(to=15)
    tenant = database.seed(provider=DemoProvider(base_url="ws://127.0.0.1:9/"), max_turns=0)
    database.execute(
        "insert into v_voice_realtime_settings (domain_uuid) values (%s)", tenant.domain_uuid
    )
    assert database.execute("select time_zone from v_voice_realtime_settings") == [("UTC",)]
    migrator.up()
    assert database.execute("select time_zone from v_voice_realtime_settings") == [(None,)]
    database.execute("update v_voice_realtime_settings set time_zone = 'UTC'")
    run_as_fusionpbx_does(database)
    assert database.execute("select time_zone from v_voice_realtime_settings") == [("UTC",)]
    pool = Pool(database.dsn, size=1)
    entry = ConfigSource(pool, secret_store).load(tenant.domain_uuid, "8000")
    assert entry.secretary.max_turns == 50
    assert "max_turns is 0" in entry.warnings[0]
    pool.close()
