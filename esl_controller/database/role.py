"""What the workers' role may do in the database, as SQL: what the program reads and writes. Pure.

Tables are made, changed and owned by another role (`migrate`). Of FusionPBX's own tables the role
reads columns: not the passwords of extensions and mailboxes, no settings, no call records.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NAME = "voice_ai"
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Grant(NamedTuple):
    """What is allowed on one table, if it is there."""

    table: str
    verbs: tuple[str, ...]
    columns: tuple[str, ...] = ()
    """Those that may be read; empty: all. Releases of FusionPBX differ: what is not there is left
    out."""


_READ = ("select",)
_ADD = ("select", "insert")
_CHANGE = (*_ADD, "update")
_TAKE = (*_ADD, "delete")
_ALL = (*_CHANGE, "delete")

OURS = (
    Grant("v_voice_secretaries_realtime", _ALL),
    Grant("v_voice_realtime_providers", _ALL),
    Grant("v_voice_realtime_settings", _CHANGE),
    Grant("v_voice_realtime_functions", _ALL),
    Grant("v_voice_realtime_documents", _ALL),
    Grant("v_voice_realtime_passages", _ADD),
    Grant("v_voice_realtime_embeddings", _ALL),
    Grant("v_voice_conversations_realtime", _ALL),
    Grant("v_voice_turns_realtime", _ALL),
    Grant("v_voice_function_calls_realtime", _ALL),
    Grant("v_voice_transfers_realtime", _ALL),
    Grant("v_voice_usage_realtime", _CHANGE),
    Grant("v_voice_spending_realtime", _TAKE),
    Grant("v_voice_call_leases_realtime", _ALL),
    Grant("v_voice_workers_realtime", _ALL),
    Grant("v_voice_audits_realtime", _ALL),
    Grant("v_voice_outbound_realtime", _ALL),
    Grant("v_voice_outside_transfers_realtime", _ALL),
    Grant("v_voice_realtime_errands", _ALL),
    Grant("v_voice_spent_tickets_realtime", _TAKE),
    Grant("voice_ai_schema_migrations", _READ),
)
"""Tables of the migrations. What goes with a deleted row goes by its foreign key, as the owner."""

THEIRS = (
    Grant("v_domains", _READ, ("domain_uuid", "domain_name")),
    Grant(
        "v_dialplans",
        _READ,
        (
            "domain_uuid",
            "app_uuid",
            "dialplan_name",
            "dialplan_number",
            "dialplan_context",
            "dialplan_continue",
            "dialplan_order",
            "dialplan_enabled",
            "dialplan_xml",
        ),
    ),
    Grant(
        "v_extensions",
        _READ,
        (
            "domain_uuid",
            "extension",
            "number_alias",
            "effective_caller_id_name",
            "description",
            "directory_first_name",
            "directory_last_name",
            "do_not_disturb",
            "forward_all_enabled",
            "forward_all_destination",
            "forward_user_not_registered_enabled",
            "forward_user_not_registered_destination",
            "follow_me_enabled",
            "follow_me_uuid",
            "enabled",
        ),
    ),
    Grant(
        "v_follow_me_destinations",
        _READ,
        ("domain_uuid", "follow_me_uuid", "follow_me_destination", "follow_me_order"),
    ),
    Grant("v_ring_groups", _READ),
    Grant("v_call_center_queues", _READ, ("domain_uuid", "queue_extension", "queue_name")),
    Grant(
        "v_ivr_menus",
        _READ,
        ("domain_uuid", "ivr_menu_extension", "ivr_menu_name", "ivr_menu_enabled"),
    ),
    Grant(
        "v_voicemails",
        _READ,
        ("domain_uuid", "voicemail_id", "voicemail_description", "voicemail_enabled"),
    ),
    Grant("v_voice_secretaries", _READ),
    Grant(
        "v_voice_conversations",
        ("delete", *_READ),
        ("voice_conversation_uuid", "domain_uuid", "caller_id_number"),
    ),
    Grant("v_voice_messages", ("delete", *_READ), ("voice_conversation_uuid",)),
)
"""Tables of FusionPBX and of version 1."""

_TIME_ZONE = """
-- FusionPBX's settings hold passwords: one of them is told, not read.
create or replace function voice_ai_time_zone(of_domain uuid) returns text
language plpgsql stable security definer set search_path from current as $$
declare
  zone text;
begin
  if to_regclass('v_domain_settings') is not null then
    select domain_setting_value into zone from v_domain_settings
      where domain_uuid = of_domain and domain_setting_category = 'domain'
        and domain_setting_subcategory = 'time_zone' and domain_setting_name = 'name'
        and domain_setting_value <> ''
        and coalesce(cast(domain_setting_enabled as text), 'true') = 'true' limit 1;
  end if;
  if zone is null and to_regclass('v_default_settings') is not null then
    select default_setting_value into zone from v_default_settings
      where default_setting_category = 'domain' and default_setting_subcategory = 'time_zone'
        and default_setting_name = 'name' and default_setting_value <> ''
        and coalesce(cast(default_setting_enabled as text), 'true') = 'true' limit 1;
  end if;
  return zone;
end $$;
"""


def role_sql(name: str = NAME) -> str:
    """SQL that makes the role, if it is not there, and gives it these rights and no other.

    To be run by who owns the tables, after each `migrate`; may be run again. The role gets no
    password here. Raises ValueError for a name PostgreSQL would have to quote.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"{name!r} is no plain name of a role: letters, digits and _")
    lines = [
        "-- Rights of the workers' role: esl-controller database-role",
        "begin;",
        "do $$ begin",
        f"  if not exists (select from pg_roles where rolname = '{name}') then",
        f"    create role {name} login noinherit nocreatedb nocreaterole nosuperuser;",
        "  end if;",
        f"  execute format('grant connect on database %I to {name}', current_database());",
        f"  execute format('grant usage on schema %I to {name}', current_schema());",
        f"  execute format('revoke all on all tables in schema %I from {name}', current_schema());",
        "end $$;",
        *(_statement(name, grant) for grant in (*OURS, *THEIRS)),
        _TIME_ZONE.strip(),
        "revoke all on function voice_ai_time_zone(uuid) from public;",
        f"grant execute on function voice_ai_time_zone(uuid) to {name};",
        "commit;",
    ]
    return "\n".join(lines) + "\n"


def _statement(name: str, grant: Grant) -> str:
    """Rights on a table that may be missing, of columns that may be."""
    table = grant.table
    whole = [verb for verb in grant.verbs if verb != "select" or not grant.columns]
    told = [f"grant {', '.join(whole)} on {table} to {name};"] if whole else []
    if grant.columns:
        names = ", ".join(f"'{column}'" for column in grant.columns)
        told.append(
            f"execute (select format('grant select (%s) on {table} to {name}', "
            "string_agg(quote_ident(attname), ', '))\n"
            f"      from pg_attribute where attrelid = '{table}'::regclass and not attisdropped\n"
            f"        and attname in ({names}));"
        )
    body = "\n    ".join(told)
    return (
        f"do $$ begin\n  if to_regclass('{table}') is not null then\n    {body}\n  end if;\nend $$;"
    )
