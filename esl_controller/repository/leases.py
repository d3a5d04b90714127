"""Calls in progress, counted across workers and hosts."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2.extensions import connection as Connection

from esl_controller.repository.statements import Row, execute, fetch_one

_LOCK_KEY = 0x76616C65  # 'vale': one counter of calls at a time


def lock(connection: Connection, domain_uuid: str) -> None:
    """Let nobody else take a lease until this transaction ends; forget the domain's expired ones.

    The lock is one for all domains, because the total is shared.
    """
    execute(connection, "select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
    sql = "delete from v_voice_call_leases_realtime where domain_uuid = %s and expires_at <= now()"
    execute(connection, sql, (domain_uuid,))


def count(connection: Connection, domain_uuid: str, secretary_realtime_uuid: str | None) -> Row:
    """Return `in_total`, `in_domain` and `of_secretary`: leases that have not expired."""
    sql = """select count(*) as in_total,
               count(*) filter (where domain_uuid = %s) as in_domain,
               count(*) filter (where domain_uuid = %s and secretary_realtime_uuid = %s)
                 as of_secretary
             from v_voice_call_leases_realtime where expires_at > now()"""
    row = fetch_one(connection, sql, (domain_uuid, domain_uuid, secretary_realtime_uuid))
    assert row is not None  # an aggregate without GROUP BY has one row
    return row


def insert(
    connection: Connection,
    domain_uuid: str,
    call_uuid: str,
    *,
    secretary_realtime_uuid: str | None,
    worker: str,
    duration_s: float,
) -> None:
    """Store a lease; a repetition for the same call renews it."""
    sql = """insert into v_voice_call_leases_realtime
               (domain_uuid, call_uuid, secretary_realtime_uuid, worker, expires_at)
             values (%s, %s, %s, %s, now() + %s * interval '1 second')
             on conflict (domain_uuid, call_uuid) do update
               set worker = excluded.worker, expires_at = excluded.expires_at"""
    execute(connection, sql, (domain_uuid, call_uuid, secretary_realtime_uuid, worker, duration_s))


def renew(
    connection: Connection, domain_uuid: str, call_uuids: Sequence[str], duration_s: float
) -> int:
    """Prolong the leases of calls still in progress; return how many were there."""
    sql = """update v_voice_call_leases_realtime
             set expires_at = now() + %s * interval '1 second'
             where domain_uuid = %s and call_uuid = any(%s)"""
    return execute(connection, sql, (duration_s, domain_uuid, list(call_uuids)))


def release(connection: Connection, domain_uuid: str, call_uuid: str) -> None:
    """Give a call's place back."""
    sql = "delete from v_voice_call_leases_realtime where domain_uuid = %s and call_uuid = %s"
    execute(connection, sql, (domain_uuid, call_uuid))
