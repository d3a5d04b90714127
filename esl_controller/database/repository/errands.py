"""The queue of errands: each is taken by lease, and is over once, however often it is repeated.

Who looks for work asks which domains have some; every other statement names its own. A worker has
an errand for as long as its lease lasts, by the database's clock. What it then writes counts only
while the attempt is still its own: another may have taken the errand since.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg2.extensions import connection as Connection

from esl_controller.database.acts import Errand, QueuedErrand
from esl_controller.database.repository.statements import (
    as_stored,
    columns,
    execute,
    fetch_all,
    fetch_one,
    values,
)

_TABLE = "v_voice_realtime_errands"
_COLUMNS = columns(QueuedErrand)
MAX_SHOWN = 500
MAX_ERROR = 2000
KEPT_DAYS = 30
"""What has been delivered is kept so long at most: then no journal brings it a second time."""
_OPEN = "state in ('queued', 'running')"
_READY = f"""e.{_OPEN} and e.next_at <= now() and (e.lease_until is null or e.lease_until < now())
  and not exists (select 1 from {_TABLE} w where w.domain_uuid = e.domain_uuid
                  and w.errand_uuid = e.waits_for and w.{_OPEN})"""


def insert(connection: Connection, domain_uuid: str, errand: Errand) -> bool:
    """Queue an errand unless it is there; False when its domain is gone, or its UUID another's.

    Raises ValueError when the errand is not of `domain_uuid`.
    """
    if errand.domain_uuid != domain_uuid:
        raise ValueError("errand of another domain")
    sql = f"""insert into {_TABLE} ({columns(Errand)}, next_at)
              select {", ".join(["%s"] * len(values(errand)))}, %s
              where exists (select 1 from v_domains where domain_uuid = %s)
              on conflict do nothing"""
    if execute(connection, sql, [*values(errand), errand.not_before, domain_uuid]) == 1:
        return True
    there = f"""select 1 as found from {_TABLE} where domain_uuid = %s and kind = %s
                  and idempotency_key = %s"""
    names = (domain_uuid, errand.kind, errand.idempotency_key)
    return fetch_one(connection, there, names) is not None


def is_open(
    connection: Connection, domain_uuid: str, kind: str, payload: Mapping[str, Any]
) -> bool:
    """Whether an errand with this in its payload is still to be done, or was given up."""
    sql = f"""select exists (select 1 from {_TABLE} where domain_uuid = %s and kind = %s
                and state <> 'delivered' and payload @> %s) as found"""
    row = fetch_one(connection, sql, (domain_uuid, kind, as_stored(payload)))
    return row is not None and bool(row["found"])


def domains_with_work(connection: Connection) -> list[str]:
    """Return the domains that have something to be done now, the longest waiting first."""
    sql = f"""select e.domain_uuid from {_TABLE} e where {_READY}
              group by e.domain_uuid order by min(e.next_at)"""
    return [row["domain_uuid"] for row in fetch_all(connection, sql, ())]


def take(
    connection: Connection, domain_uuid: str, *, worker: str, lease_s: float, limit: int
) -> list[QueuedErrand]:
    """Take some of a domain's errands for one attempt each, those due longest first."""
    sql = f"""with due as (
                select e.errand_uuid from {_TABLE} e where e.domain_uuid = %s and {_READY}
                order by e.next_at, e.errand_uuid limit %s for update of e skip locked)
              update {_TABLE} t set state = 'running', worker = %s, attempts = attempts + 1,
                lease_until = now() + %s * interval '1 second', last_attempt_at = now(),
                first_attempt_at = coalesce(first_attempt_at, now())
              from due where t.domain_uuid = %s and t.errand_uuid = due.errand_uuid
              returning {", ".join(f"t.{name}" for name in _COLUMNS.split(", "))}"""
    rows = fetch_all(connection, sql, (domain_uuid, limit, worker, lease_s, domain_uuid))
    return [QueuedErrand(**row) for row in rows]


_MINE = "domain_uuid = %s and errand_uuid = %s and worker = %s and attempts = %s"


def finish(
    connection: Connection,
    domain_uuid: str,
    taken: QueuedErrand,
    result: Mapping[str, Any],
    *,
    forget: bool,
) -> bool:
    """It is delivered; with `forget` what was sent is not kept. False: no longer this attempt's."""
    sql = f"""update {_TABLE} set state = 'delivered', ended_at = now(), lease_until = null,
                last_error = null, result = %s,
                payload = case when %s then '{{}}'::jsonb else payload end
              where {_MINE} and state = 'running'"""
    return execute(connection, sql, (as_stored(result), forget, *_names(domain_uuid, taken))) == 1


def forget_result(connection: Connection, domain_uuid: str, errand_uuid: str) -> None:
    """Empty the result of an errand once nothing that waited for it is still to be done."""
    sql = f"""update {_TABLE} t set result = null where t.domain_uuid = %s and t.errand_uuid = %s
                and not exists (select 1 from {_TABLE} w where w.domain_uuid = %s
                                and w.waits_for = t.errand_uuid and w.state <> 'delivered')"""
    execute(connection, sql, (domain_uuid, errand_uuid, domain_uuid))


def retry(
    connection: Connection, domain_uuid: str, taken: QueuedErrand, *, in_s: float, why: str
) -> bool:
    """Once more later. False: no longer this attempt's."""
    sql = f"""update {_TABLE} set state = 'queued', lease_until = null, last_error = %s,
                next_at = now() + %s * interval '1 second'
              where {_MINE} and state = 'running'"""
    return (
        execute(connection, sql, (as_stored(why[:MAX_ERROR]), in_s, *_names(domain_uuid, taken)))
        == 1
    )


def bury(connection: Connection, domain_uuid: str, taken: QueuedErrand, why: str) -> bool:
    """It is given up, until a person sends it again. False: no longer this attempt's."""
    sql = f"""update {_TABLE} set state = 'dead', ended_at = now(), lease_until = null,
                last_error = %s
              where {_MINE} and state = 'running'"""
    return execute(connection, sql, (as_stored(why[:MAX_ERROR]), *_names(domain_uuid, taken))) == 1


def _names(domain_uuid: str, taken: QueuedErrand) -> tuple[object, ...]:
    return domain_uuid, taken.errand_uuid, taken.worker, taken.attempts


def list_errands(
    connection: Connection,
    domain_uuid: str,
    *,
    state: str | None = None,
    conversation_uuid: str | None = None,
) -> list[QueuedErrand]:
    """Return a domain's errands, newest first; at most MAX_SHOWN."""
    sql = f"""select {_COLUMNS} from {_TABLE} where domain_uuid = %s
                and (%s::text is null or state = %s)
                and (%s::uuid is null or conversation_uuid = %s)
              order by created_at desc, errand_uuid limit %s"""
    chosen = (state, state, conversation_uuid, conversation_uuid)
    rows = fetch_all(connection, sql, (domain_uuid, *chosen, MAX_SHOWN))
    return [QueuedErrand(**row) for row in rows]


def find(connection: Connection, domain_uuid: str, errand_uuid: str) -> QueuedErrand | None:
    """Return one errand of the domain."""
    sql = f"select {_COLUMNS} from {_TABLE} where domain_uuid = %s and errand_uuid = %s"
    row = fetch_one(connection, sql, (domain_uuid, errand_uuid))
    return None if row is None else QueuedErrand(**row)


def send_again(connection: Connection, domain_uuid: str, errand_uuid: str) -> bool:
    """Queue what was given up, or do at once what waits for its next attempt, with a new time
    limit; False when there is none such."""
    sql = f"""update {_TABLE} set state = 'queued', next_at = now(), first_attempt_at = null,
                ended_at = null
              where domain_uuid = %s and errand_uuid = %s and state in ('dead', 'queued')"""
    return execute(connection, sql, (domain_uuid, errand_uuid)) == 1


def drop(connection: Connection, domain_uuid: str, errand_uuid: str) -> bool:
    """Forget what was given up or waits; False when there is none such."""
    sql = f"""delete from {_TABLE} where domain_uuid = %s and errand_uuid = %s
                and state in ('dead', 'queued')"""
    return execute(connection, sql, (domain_uuid, errand_uuid)) == 1


def erase(connection: Connection, domain_uuid: str, conversation_uuids: list[str]) -> int:
    """Delete the errands of conversations, done or not; return how many."""
    sql = f"""delete from {_TABLE} where domain_uuid = %s
                and conversation_uuid = any(%s::uuid[])"""
    return execute(connection, sql, (domain_uuid, conversation_uuids))


def forget_old(connection: Connection, domain_uuid: str, retention_days: int | None) -> int:
    """Delete what is over for longer than the domain keeps anything, and what was delivered
    KEPT_DAYS ago; return how many."""
    sql = f"""delete from {_TABLE} where domain_uuid = %s
                and (ended_at < now() - %s * interval '1 day'
                  or state = 'delivered' and ended_at < now() - %s * interval '1 day')"""
    return execute(connection, sql, (domain_uuid, retention_days, KEPT_DAYS))


def count_open(connection: Connection) -> Mapping[str, int]:
    """Return how many of every domain's errands are in each state but `delivered`."""
    sql = f"""select state, count(*) as count from {_TABLE} where state <> 'delivered'
                and domain_uuid in (select domain_uuid from v_domains) group by state"""
    return {row["state"]: row["count"] for row in fetch_all(connection, sql, ())}
