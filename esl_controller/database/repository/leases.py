"""Calls in progress, counted across workers and hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection

from esl_controller.database.repository.statements import Row, execute, fetch_all, fetch_one

_LOCK_KEY = 0x76616C65  # 'vale': one counter of calls at a time


@dataclass(frozen=True, slots=True)
class Lease:
    """The place of one call of a domain."""

    call_uuid: str
    secretary_realtime_uuid: str
    voice_realtime_provider_uuid: str | None
    """The provider it began with; None for the provider of the settings."""


def lock(connection: Connection, domain_uuid: str) -> None:
    """Let nobody else take a lease until this transaction ends; forget the domain's expired ones.

    The lock is one for all domains, because the total is shared.
    """
    execute(connection, "select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
    sql = "delete from v_voice_call_leases_realtime where domain_uuid = %s and expires_at <= now()"
    execute(connection, sql, (domain_uuid,))


def count(
    connection: Connection,
    domain_uuid: str,
    secretary_realtime_uuid: str | None,
    *,
    but_for: str = "",
) -> Row:
    """Return `in_total`, `in_domain` and `of_secretary`: leases that have not expired.

    `but_for` is the call that asks: one that comes back, as from one secretary to another, has a
    place already and does not stand in its own way.
    """
    sql = """select count(*) as in_total,
               count(*) filter (where domain_uuid = %s) as in_domain,
               count(*) filter (where domain_uuid = %s and secretary_realtime_uuid = %s)
                 as of_secretary
             from v_voice_call_leases_realtime where expires_at > now()
               and (domain_uuid, call_uuid) <> (%s, %s)"""
    parameters = (domain_uuid, domain_uuid, secretary_realtime_uuid, domain_uuid, but_for)
    row = fetch_one(connection, sql, parameters)
    assert row is not None  # an aggregate without GROUP BY has one row
    return row


def count_by_provider(
    connection: Connection, domain_uuid: str, *, but_for: str = ""
) -> dict[str, int]:
    """Return how many leases of the domain each of its provider rows has, one call's left out."""
    sql = """select voice_realtime_provider_uuid as provider, count(*) as calls
             from v_voice_call_leases_realtime
             where domain_uuid = %s and expires_at > now() and call_uuid <> %s
               and voice_realtime_provider_uuid is not null
             group by voice_realtime_provider_uuid"""
    rows = fetch_all(connection, sql, (domain_uuid, but_for))
    return {row["provider"]: row["calls"] for row in rows}


def hold(
    connection: Connection,
    domain_uuid: str,
    held: Sequence[Lease],
    *,
    worker: str,
    duration_s: float,
    take_over: bool = False,
) -> None:
    """Store leases or prolong them.

    One that ran out meanwhile, as in an outage of the database, is there again. A call may have
    gone on to another worker: its lease is that worker's unless this one may `take_over`.
    """
    sql = """insert into v_voice_call_leases_realtime
               (domain_uuid, call_uuid, secretary_realtime_uuid, voice_realtime_provider_uuid,
                worker, expires_at)
             select %s, call_uuid, secretary_uuid, provider_uuid,
               %s, now() + %s * interval '1 second'
             from unnest(%s::text[], %s::uuid[], %s::uuid[])
               as held (call_uuid, secretary_uuid, provider_uuid)
             on conflict (domain_uuid, call_uuid) do update
               set worker = excluded.worker, expires_at = excluded.expires_at
               where %s or v_voice_call_leases_realtime.worker = excluded.worker
                 or v_voice_call_leases_realtime.expires_at <= now()"""
    columns = (
        [lease.call_uuid for lease in held],
        [lease.secretary_realtime_uuid for lease in held],
        [lease.voice_realtime_provider_uuid for lease in held],
    )
    execute(connection, sql, (domain_uuid, worker, duration_s, *columns, take_over))


def release(connection: Connection, domain_uuid: str, call_uuid: str, *, worker: str) -> None:
    """Give the place back that a worker holds for a call; another worker's stays."""
    sql = """delete from v_voice_call_leases_realtime
             where domain_uuid = %s and call_uuid = %s and worker = %s"""
    execute(connection, sql, (domain_uuid, call_uuid, worker))
