"""The workers of the installation, on all hosts.

These statements carry no `domain_uuid`, unlike all others: a worker serves every domain, its row
holds nothing of a tenant, and who is alive is asked for the whole installation. The one question
that concerns a tenant, who has a certain call, takes the domain like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Connection

from esl_controller.database.repository.statements import (
    Row,
    columns,
    execute,
    fetch_all,
    fetch_one,
)

FRESH_S = 25.0
"""Seen within this: alive. Two of its signs of life, ten seconds apart, may be lost."""
_LOCK_KEY = 0x76616C77  # 'valw': one decision at a time who stops listening


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """What a worker says of itself."""

    worker: str
    """Its name in conversations and leases, no other's on any host."""
    host: str
    http_url: str
    """Where its pages are, as other workers reach it."""
    esl_address: str
    """`host:port` FreeSWITCH connects to."""
    started_at: datetime
    version: str
    capacity: int
    calls: int
    draining: bool
    listening: bool
    """Its Event Socket port is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Which worker has a call."""

    worker: str
    host: str | None
    """None: it is not in the register."""
    http_url: str | None
    alive: bool
    away: bool
    """The caller talks with whom he was transferred to, as far as is known: any worker will do."""
    extension: str
    """Number that was called."""


def register(connection: Connection, row: WorkerRow) -> None:
    """Insert or renew a worker's row; it is seen now, by the database's clock."""
    names = [name.strip() for name in columns(WorkerRow).split(",")]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    sql = f"""insert into v_voice_workers_realtime ({", ".join(names)}, seen_at)
              values ({", ".join(["%s"] * len(names))}, now())
              on conflict (worker) do update set {changes}, seen_at = now()"""
    execute(connection, sql, [getattr(row, name) for name in names])


def leave(connection: Connection, worker: str) -> None:
    """Forget a worker that has ended, or is known to be lost."""
    execute(connection, "delete from v_voice_workers_realtime where worker = %s", (worker,))


def list_workers(connection: Connection) -> list[Row]:
    """Return every row with `age_s`, seconds since the worker was seen, and `alive`."""
    sql = f"""select {columns(WorkerRow)}, seen_at,
                extract(epoch from now() - seen_at)::float as age_s,
                seen_at > now() - %s * interval '1 second' as alive
              from v_voice_workers_realtime order by host, http_url, started_at"""
    return fetch_all(connection, sql, (FRESH_S,))


def list_lost(connection: Connection, unseen_s: float) -> list[Row]:
    """Return `worker` and `seen_at` of those that have not been seen for `unseen_s`."""
    sql = """select worker, seen_at from v_voice_workers_realtime
             where seen_at < now() - %s * interval '1 second'"""
    return fetch_all(connection, sql, (unseen_s,))


def stop_listening(connection: Connection, worker: str, *, anywhere: bool = False) -> bool:
    """Note that a worker's Event Socket port closes, if another on its host takes calls at the
    same address and has room, or `anywhere` any other; return whether it may. Only one decides at
    a time, so that two workers never leave the port to each other.
    """
    execute(connection, "select pg_advisory_xact_lock(%s)", (_LOCK_KEY,))
    sql = f"""update v_voice_workers_realtime me set listening = false
              where worker = %s and exists ({_OTHER_WITH_ROOM})"""
    return execute(connection, sql, (worker, anywhere, FRESH_S)) == 1


def is_another_listening(connection: Connection, worker: str, *, anywhere: bool = False) -> bool:
    """Whether another worker of the same host and address, or any, takes calls and has room."""
    sql = f"""select 1 as found from v_voice_workers_realtime me
              where worker = %s and exists ({_OTHER_WITH_ROOM})"""
    return fetch_one(connection, sql, (worker, anywhere, FRESH_S)) is not None


_OTHER_WITH_ROOM = """select 1 from v_voice_workers_realtime other
    where other.worker <> me.worker
      and (%s or (other.host = me.host and other.esl_address = me.esl_address))
      and other.listening and not other.draining
      and other.calls < other.capacity
      and other.seen_at > now() - %s * interval '1 second'"""


def find_owner(connection: Connection, domain_uuid: str, call_uuid: str) -> Owner | None:
    """Return the worker that has a call of the domain; of a caller who was transferred the one that
    let him go, or where that is no more any that lives. None when no such call is going on.
    """
    sql = """select coalesce(w.worker, c.worker) as worker, w.host, w.http_url,
               coalesce(w.alive, false) as alive, c.away, coalesce(c.destination, '') as extension
             from (select worker, destination, outcome, ended_at is not null as away
                   from v_voice_conversations_realtime
                   where domain_uuid = %s and call_uuid = %s
                   order by started_at desc limit 1) c
             left join lateral (
               select worker, host, http_url, seen_at,
                 seen_at > now() - %s * interval '1 second' as alive
               from v_voice_workers_realtime other where other.worker = c.worker or c.away
               order by seen_at > now() - %s * interval '1 second' desc,
                 other.worker = c.worker desc, seen_at desc limit 1) w on true
             where not c.away or c.outcome = 'transferred'"""
    row = fetch_one(connection, sql, (domain_uuid, call_uuid, FRESH_S, FRESH_S))
    return None if row is None or row["worker"] is None else Owner(**row)


def is_any_used(connection: Connection, kinds: Sequence[str]) -> bool:
    """Whether any domain has an enabled provider of these kinds; never which."""
    sql = """select exists (select 1 from v_voice_realtime_providers
               where realtime_provider = any(%s) and enabled) as used"""
    row = fetch_one(connection, sql, (list(kinds),))
    return row is not None and bool(row["used"])
