"""Calls to be made: kept until they are, and taken by one worker at a time.

Who looks for work looks in every domain; every other statement names its own. A worker has a call
for as long as its lease lasts, by the database's clock, and renews it meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Connection

from esl_controller.database.acts import OutboundCall
from esl_controller.database.repository.statements import columns, execute, fetch_all, fetch_one

DIAL = "dial"
"""Action of the audit row that each attempt has; by these attempts are counted."""
_TABLE = "v_voice_outbound_realtime"
_COLUMNS = columns(OutboundCall)
_LOCK_KEY = 0x76616C6F  # 'valo': one decision at a time who calls
MAX_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Caps:
    """What a domain allows."""

    at_once: int
    per_hour: int | None
    per_day: int | None


def list_calls(
    connection: Connection, domain_uuid: str, status: str | None = None
) -> list[OutboundCall]:
    """Return the domain's calls, newest first."""
    sql = f"""select {_COLUMNS} from {_TABLE} where domain_uuid = %s
                and (%s::text is null or status = %s)
              order by created_at desc, outbound_uuid limit %s"""
    rows = fetch_all(connection, sql, (domain_uuid, status, status, MAX_SHOWN))
    return [OutboundCall(**row) for row in rows]


def find(connection: Connection, domain_uuid: str, outbound_uuid: str) -> OutboundCall | None:
    """Return one call of the domain."""
    sql = f"select {_COLUMNS} from {_TABLE} where domain_uuid = %s and outbound_uuid = %s"
    row = fetch_one(connection, sql, (domain_uuid, outbound_uuid))
    return None if row is None else OutboundCall(**row)


def cancel(connection: Connection, domain_uuid: str, outbound_uuid: str) -> bool:
    """Give up a call that is not being made; False when there is none such."""
    sql = f"""update {_TABLE} set status = 'cancelled', ended_at = now()
              where domain_uuid = %s and outbound_uuid = %s and status = 'waiting'"""
    return execute(connection, sql, (domain_uuid, outbound_uuid)) == 1


def expire(connection: Connection) -> int:
    """End the calls of every domain whose time has passed and that nobody makes now."""
    sql = f"""update {_TABLE} set status = 'expired', ended_at = now()
              where not_after <= now() and status in ('waiting', 'calling')
                and (lease_until is null or lease_until < now())
                and domain_uuid in (select domain_uuid from v_domains)"""
    return execute(connection, sql, ())


def list_due(connection: Connection, limit: int) -> list[OutboundCall]:
    """Return calls of every domain that are to be made now and that nobody makes.

    The oldest of each domain, then the second of each: nobody waits behind another's thousand.
    """
    sql = f"""select {_COLUMNS} from (
                select {_COLUMNS}, row_number() over (partition by domain_uuid
                  order by not_before, outbound_uuid) as place from {_TABLE}
                where status in ('waiting', 'calling')
                  and not_before <= now() and not_after > now()
                  and (lease_until is null or lease_until < now())
                  and domain_uuid in (select domain_uuid from v_domains)) as due
              order by place, not_before limit %s"""
    return [OutboundCall(**row) for row in fetch_all(connection, sql, (limit,))]


def take(
    connection: Connection,
    domain_uuid: str,
    outbound_uuid: str,
    *,
    worker: str,
    lease_s: float,
    caps: Caps,
) -> OutboundCall | None:
    """Take a call for one attempt, in a transaction of the caller's; None when another has it, or
    the domain's caps are reached. The caller stores the attempt's audit row in the same one.
    """
    execute(connection, "select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
    if not _room(connection, domain_uuid, caps):
        return None
    sql = f"""update {_TABLE} set status = 'calling', worker = %s, attempts = attempts + 1,
                last_attempt_at = now(), lease_until = now() + %s * interval '1 second'
              where domain_uuid = %s and outbound_uuid = %s and status in ('waiting', 'calling')
                and not_after > now() and attempts < max_attempts
                and (lease_until is null or lease_until < now())
              returning {_COLUMNS}"""
    row = fetch_one(connection, sql, (worker, lease_s, domain_uuid, outbound_uuid))
    return None if row is None else OutboundCall(**row)


def _room(connection: Connection, domain_uuid: str, caps: Caps) -> bool:
    sql = f"""select
                (select count(*) from {_TABLE}
                 where domain_uuid = %s and status = 'calling' and lease_until > now()) as at_once,
                count(*) filter (where acted_at > now() - interval '1 hour') as in_hour,
                count(*) as in_day
              from v_voice_audits_realtime
              where domain_uuid = %s and action = %s and acted_at > now() - interval '1 day'"""
    row = fetch_one(connection, sql, (domain_uuid, domain_uuid, DIAL))
    assert row is not None  # an aggregate without GROUP BY has one row
    limits = (
        (row["at_once"], caps.at_once),
        (row["in_hour"], caps.per_hour),
        (row["in_day"], caps.per_day),
    )
    return all(limit is None or used < limit for used, limit in limits)


def renew(
    connection: Connection, domain_uuid: str, outbound_uuid: str, worker: str, lease_s: float
) -> bool:
    """Keep a call; False when it is no longer this worker's."""
    sql = f"""update {_TABLE} set lease_until = now() + %s * interval '1 second'
              where domain_uuid = %s and outbound_uuid = %s and worker = %s
                and status = 'calling'"""
    return execute(connection, sql, (lease_s, domain_uuid, outbound_uuid, worker)) == 1


def postpone(connection: Connection, domain_uuid: str, outbound_uuid: str, until: datetime) -> None:
    """Not before then: the secretary is closed."""
    sql = f"""update {_TABLE} set not_before = %s
              where domain_uuid = %s and outbound_uuid = %s and status in ('waiting', 'calling')
                and (lease_until is null or lease_until < now())"""
    execute(connection, sql, (until, domain_uuid, outbound_uuid))


def try_again(
    connection: Connection,
    domain_uuid: str,
    outbound_uuid: str,
    *,
    worker: str,
    in_s: float,
    cause: str,
) -> None:
    """Nobody answered: once more later, or never when that was the last attempt."""
    sql = f"""update {_TABLE} set lease_until = null, cause = %s,
                status = case when attempts >= max_attempts then 'failed' else 'waiting' end,
                ended_at = case when attempts >= max_attempts then now() end,
                not_before = now() + %s * interval '1 second'
              where domain_uuid = %s and outbound_uuid = %s and worker = %s
                and status = 'calling'"""
    execute(connection, sql, (cause, in_s, domain_uuid, outbound_uuid, worker))


def finish(
    connection: Connection,
    domain_uuid: str,
    outbound_uuid: str,
    *,
    worker: str,
    answered_by: str | None,
    call_uuid: str,
    cause: str,
) -> None:
    """It was made, and somebody or something was told."""
    sql = f"""update {_TABLE} set status = 'done', ended_at = now(), lease_until = null,
                answered_by = %s, call_uuid = %s, cause = %s
              where domain_uuid = %s and outbound_uuid = %s and worker = %s
                and status = 'calling'"""
    parameters = (answered_by, call_uuid, cause or None, domain_uuid, outbound_uuid, worker)
    execute(connection, sql, parameters)


def give_up(connection: Connection, domain_uuid: str, outbound_uuid: str, cause: str) -> None:
    """It cannot be made, or its last attempt was lost with a worker."""
    sql = f"""update {_TABLE} set status = 'failed', ended_at = now(), cause = %s
              where domain_uuid = %s and outbound_uuid = %s and status in ('waiting', 'calling')
                and (lease_until is null or lease_until < now())"""
    execute(connection, sql, (cause, domain_uuid, outbound_uuid))
