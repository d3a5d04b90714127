"""FusionPBX's domains and what each has set for its realtime secretaries."""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from esl_controller.database.models import TenantSettings
from esl_controller.database.repository.statements import Row, fetch_all, fetch_one, stored_columns


def list_domains(connection: Connection) -> list[Row]:
    """Return `domain_uuid` and `domain_name` of all domains: the directory, no tenant's data."""
    sql = "select domain_uuid, domain_name from v_domains order by domain_name"
    return fetch_all(connection, sql, ())


def find_domain_name(connection: Connection, domain_uuid: str) -> str | None:
    """Return the name of an existing domain; it is also its dialplan context."""
    sql = "select domain_name from v_domains where domain_uuid = %s"
    row = fetch_one(connection, sql, (domain_uuid,))
    return None if row is None else row["domain_name"]


def find_domain(connection: Connection, domain_name: str) -> str | None:
    """Return the UUID of the domain with this name, whatever its case; None unless there is one."""
    sql = "select domain_uuid from v_domains where lower(domain_name) = lower(%s) limit 2"
    rows = fetch_all(connection, sql, (domain_name,))
    return rows[0]["domain_uuid"] if len(rows) == 1 else None


def find_settings(connection: Connection, domain_uuid: str) -> Row | None:
    """Return the domain's settings row as stored."""
    sql = f"""select {stored_columns(TenantSettings)} from v_voice_realtime_settings
              where domain_uuid = %s"""
    return fetch_one(connection, sql, (domain_uuid,))


def find_time_zone(connection: Connection, domain_uuid: str) -> str | None:
    """Return the zone FusionPBX itself has set for the domain, else for all; None without one."""
    sql = """select to_regclass('v_domain_settings') is not null as domains,
               to_regclass('v_default_settings') is not null as defaults,
               to_regproc('voice_ai_time_zone') is not null as asked"""
    there = fetch_one(connection, sql, ()) or {}
    if there.get("asked"):  # of the workers' role, who may not read settings: role.py
        row = fetch_one(connection, "select voice_ai_time_zone(%s) as zone", (domain_uuid,))
        return None if row is None else row["zone"]
    zone = None
    if there.get("domains"):
        zone = _setting(connection, "domain", "domain_uuid = %s", (domain_uuid,))
    if zone is None and there.get("defaults"):
        zone = _setting(connection, "default", "true", ())
    return zone


TIME_CONDITIONS = "4b821450-926b-175a-af93-a03c441818b1"
"""`v_dialplans.app_uuid` of FusionPBX's time conditions, which have no table of their own."""


def find_time_condition(connection: Connection, domain_uuid: str, name: str) -> str | None:
    """Return the dialplan XML of the enabled time condition with this number or name; None without
    one. FusionPBX writes underscores for the blanks of a name."""
    there = fetch_one(connection, "select to_regclass('v_dialplans') is not null as there", ())
    if not there or not there["there"]:
        return None
    sql = """select dialplan_xml from v_dialplans
             where domain_uuid = %s and app_uuid = %s
               and cast(dialplan_enabled as text) = 'true'
               and (dialplan_number = %s
                 or replace(dialplan_name, '_', ' ') = replace(%s, '_', ' '))
             order by dialplan_number = %s desc limit 1"""
    row = fetch_one(connection, sql, (domain_uuid, TIME_CONDITIONS, name, name, name))
    return None if row is None else row["dialplan_xml"] or ""


def _setting(
    connection: Connection, whose: str, condition: str, parameters: tuple[str, ...]
) -> str | None:
    """An enabled setting domain / time_zone / name; the flag is boolean, or text before 5.5."""
    sql = f"""select {whose}_setting_value as zone from v_{whose}_settings s
              where {condition} and {whose}_setting_category = 'domain'
                and {whose}_setting_subcategory = 'time_zone'
                and {whose}_setting_name = 'name' and {whose}_setting_value <> ''
                and coalesce(to_jsonb(s)->>'{whose}_setting_enabled', 'true') = 'true'
              limit 1"""
    row = fetch_one(connection, sql, parameters)
    return None if row is None else row["zone"]
