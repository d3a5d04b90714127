"""The workers' role: what it may is tried by every other test here, what it may not by these."""

from __future__ import annotations

import re

import psycopg2
import pytest

from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import inspection, tenants
from esl_controller.database.role import NAME, OURS, THEIRS, role_sql
from tests.arch.tree import ROOT
from tests.integration.cli_kit import run
from tests.integration.db_fixtures import TestDatabase
from tests.integration.fusionpbx_tables import FUSIONPBX_TABLES

SETTINGS = """insert into v_default_settings (default_setting_uuid, default_setting_category,
  default_setting_subcategory, default_setting_name, default_setting_value,
  default_setting_enabled) values
  (gen_random_uuid(), 'domain', 'time_zone', 'name', 'Europe/Lisbon', true),
  (gen_random_uuid(), 'email', 'smtp_password', 'text', 'hunter2', true)"""
FORBIDDEN = (
    "create table mine (a integer)",
    "drop table v_voice_turns_realtime",
    "alter table v_voice_turns_realtime add a integer",
    "truncate v_voice_turns_realtime",
    "delete from v_voice_realtime_settings",
    "update v_voice_realtime_passages set content = ''",
    "insert into v_domains (domain_uuid) values (gen_random_uuid())",
    "update v_domains set domain_name = ''",
    "delete from v_domains",
    "select password from v_extensions",
    "select * from v_extensions",
    "update v_extensions set enabled = false",
    "select voicemail_password from v_voicemails",
    "update v_ring_groups set ring_group_name = ''",
    "select default_setting_value from v_default_settings",
    "delete from voice_ai_schema_migrations",
    "create role other",
    "alter role voice_ai superuser",
    "copy v_domains (domain_name) to program 'true'",
)
REPOSITORY = sorted((ROOT / "esl_controller/database/repository").glob("*.py"))


@pytest.fixture
def fusionpbx(database: TestDatabase) -> TestDatabase:
    database.execute(FUSIONPBX_TABLES)
    database.execute(SETTINGS)
    database.seed()
    return database


def test_nothing_else_is_allowed(fusionpbx: TestDatabase, pool: Pool) -> None:
    for statement in FORBIDDEN:
        with (
            pytest.raises((DatabaseError, psycopg2.Error)) as caught,
            pool.connection() as connection,
        ):
            connection.cursor().execute(statement)
        refused = re.search("permission denied|must be (owner|superuser)", str(caught.value))
        assert refused, (statement, str(caught.value))


def test_one_setting_is_told_and_no_other(fusionpbx: TestDatabase, pool: Pool) -> None:
    ((domain_uuid,),) = fusionpbx.execute("select domain_uuid from v_domains")
    with pool.connection() as connection:
        assert tenants.find_time_zone(connection, domain_uuid) == "Europe/Lisbon"


def test_doctor_knows_the_role_from_the_owner(fusionpbx: TestDatabase, owners_pool: Pool) -> None:
    pool = Pool(fusionpbx.workers_dsn, size=1)
    with pool.connection() as connection:
        role = inspection.role(connection)
    pool.close()
    assert (role["name"], role["missing"], role["surplus"]) == (NAME, [], [])
    assert not (role["superuser"] or role["creates"] or role["makes_tables"])
    with owners_pool.connection() as connection:
        assert "v_domains" in inspection.role(connection)["surplus"]


def test_what_is_taken_is_missed_and_given_back(database: TestDatabase, pool: Pool) -> None:
    database.execute("revoke update on v_voice_turns_realtime from voice_ai")
    with pool.connection() as connection:
        assert inspection.role(connection)["missing"] == ["v_voice_turns_realtime"]
    applied = run("database-role", "--apply", VOICE_AI_DATABASE_DSN=database.dsn)
    assert applied.exit_code == 0, applied.stderr
    with pool.connection() as connection:
        assert inspection.role(connection)["missing"] == []


def test_who_may_not_give_rights_is_told_who_may(database: TestDatabase) -> None:
    told = run("database-role", "--apply", VOICE_AI_DATABASE_DSN=database.workers_dsn)
    assert told.exit_code == 1
    assert "as the owner of the tables" in told.stderr


def test_the_sql_is_shown_and_a_name_that_is_none_is_refused() -> None:
    assert run("database-role").stdout == role_sql()
    assert run("database-role", "--name", 'x"; drop').exit_code == 2


def test_every_table_of_the_statements_is_in_the_list_and_no_other() -> None:
    text = "\n".join(path.read_text("utf-8") for path in REPOSITORY if path.name != "demo.py")
    text = text.replace("v_{whose}_settings", "").replace("v_voice_{name}", "v_voice_messages")
    told = {"v_voice", "v_domain_settings", "v_default_settings"}  # by voice_ai_time_zone
    named = set(re.findall(r"\bv_[a-z_]+[a-z]\b", text)) - told
    listed = {grant.table for grant in (*OURS, *THEIRS)}
    assert named == listed - {"voice_ai_schema_migrations"}
