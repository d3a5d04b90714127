"""Has errands delivered: looks for them, takes each by lease, and writes down what became of it.

Any number of workers look. A worker that dies keeps its lease until it runs out; then another takes
the errand, with the same idempotency key. What was delivered is written until it is written.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import gevent
import structlog
from gevent.event import Event
from gevent.pool import Pool as Greenlets

from esl_controller.database.acts import QueuedErrand
from esl_controller.database.pool import DatabaseError, GreenConnection, Pool
from esl_controller.database.repository import errands
from esl_controller.errands.backoff import FIRST_S, delay_s
from esl_controller.errands.base import Dead, Delivered, Delivery, Means, Retry
from esl_controller.tenants.rules import ConfigError

LOOK_S = 2.0
COUNT_S = 15.0
WRITE_AGAIN_S = 1.0
MAX_RESULT_BYTES = 32 * 1024

_log = structlog.get_logger("errands")
MeansOf = Callable[[str], Means | None]
"""What there is to work with for a domain; None when it is gone. May wait; raises ConfigError,
DatabaseError."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits of one worker."""

    at_once: int = 8
    of_one_domain: int = 3
    """At once: a tenant whose receiver hangs holds up none of the others."""
    attempt_s: float = 60.0
    """Longest attempt."""
    lease_s: float = 90.0
    """More than an attempt, and the writing of what became of it."""
    look_s: float = LOOK_S
    first_retry_s: float = FIRST_S


@dataclass(slots=True)
class ErrandCounters:
    """Counts since start by kind and result, and what the database has now."""

    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    """delivered | retried | dead | lost (another worker had it meanwhile)"""
    open: Mapping[str, int] = field(default_factory=dict)
    """queued, running and dead errands of every domain, when last counted."""


class ErrandService:
    """The one of a worker."""

    def __init__(
        self,
        pool: Pool,
        kinds: Mapping[str, Delivery],
        means_of: MeansOf,
        worker: str,
        *,
        pace: Pace = Pace(),
        chance: Callable[[], float] = random.random,
        on_stop: Callable[[], object] = lambda: None,
    ) -> None:
        """`on_stop` closes what the deliveries use."""
        self.counters = ErrandCounters()
        self._pool = pool
        self._kinds = kinds
        self._means_of = means_of
        self._worker = worker
        self._pace = pace
        self._chance = chance
        self._on_stop = on_stop
        self._running = Greenlets()
        self._of_domain: Counter[str] = Counter()
        self._more = Event()
        self._counted_at = float("-inf")

    def run(self) -> None:
        """Look, for ever."""
        while True:
            self._more.clear()
            try:
                self.run_once()
                self._count()
            except DatabaseError as error:
                _log.warning("errands.not_looked", error=str(error))
                gevent.sleep(self._pace.look_s)
            self._more.wait(self._pace.look_s)

    def run_once(self) -> int:
        """Begin what can be begun now; return how many."""
        if self._room() <= 0:
            return 0
        with self._pool.connection(autocommit=True) as connection:
            domains = errands.domains_with_work(connection)
        return sum(self._begin(domain_uuid) for domain_uuid in domains)

    def stop(self) -> None:
        """Leave what is being done, the leases run out; and let go of the database."""
        self._running.kill(block=False)
        self._pool.close()
        self._on_stop()

    def wait(self, timeout_s: float) -> bool:
        """Until nothing is being done; False when that takes longer."""
        return bool(self._running.join(timeout_s))

    def _room(self, domain_uuid: str = "") -> int:
        room = self._pace.at_once - len(self._running)
        return min(room, self._pace.of_one_domain - self._of_domain[domain_uuid])

    def _begin(self, domain_uuid: str) -> int:
        room = self._room(domain_uuid)
        if room <= 0:
            return 0
        with self._pool.connection(autocommit=True) as connection:
            taken = errands.take(
                connection,
                domain_uuid,
                worker=self._worker,
                lease_s=self._pace.lease_s,
                limit=room,
            )
        for one in taken:
            self._of_domain[domain_uuid] += 1
            self._running.spawn(self._do, one)
        return len(taken)

    def _do(self, taken: QueuedErrand) -> None:
        try:
            self._write(taken, self._attempt(taken))
        finally:
            self._of_domain[taken.domain_uuid] -= 1
            if not self._of_domain[taken.domain_uuid]:
                del self._of_domain[taken.domain_uuid]
            self._more.set()

    def _attempt(self, taken: QueuedErrand) -> Delivered | Retry | Dead:
        """One attempt, whose deadline is ours. A bug of a kind must not end the others' errands."""
        with gevent.Timeout(self._pace.attempt_s) as deadline:
            try:
                return self._deliver(taken)
            except (Retry, Dead) as failed:
                return failed
            except ConfigError as error:
                return Retry(f"the domain's settings cannot be used: {error}")
            except DatabaseError as error:
                return Retry(f"database: {error}")
            except gevent.Timeout as timeout:
                if timeout is not deadline:
                    raise
                return Retry("not done in time")
            except Exception as error:  # noqa: BLE001 - boundary: see above
                _log.exception("errands.failed", kind=taken.kind, errand_uuid=taken.errand_uuid)
                return Retry(f"internal error: {type(error).__name__}")

    def _deliver(self, taken: QueuedErrand) -> Delivered:
        delivery = self._kinds.get(taken.kind)
        if delivery is None:
            raise Dead(f"this version knows no errand of kind {taken.kind!r:.60}")
        means = self._means_of(taken.domain_uuid)
        if means is None:
            raise Dead("the domain is gone")
        done = delivery.deliver(taken, means)
        return replace(done, forget=means.tenant.send_unstored)

    def _write(self, taken: QueuedErrand, became: Delivered | Retry | Dead) -> None:
        """Written until it is: what was delivered must not be delivered for ever."""
        limit_s = getattr(self._kinds.get(taken.kind), "limit_s", 0.0)
        if isinstance(became, Retry) and _over(taken, limit_s):
            became = Dead(f"given up after {limit_s:.0f} s: {became}")
        in_s = 0.0
        if isinstance(became, Retry):
            first_s = self._pace.first_retry_s
            in_s = delay_s(taken.attempts, self._chance(), became.after_s, first_s=first_s)
        store = partial(_store, taken=taken, became=became, in_s=in_s)
        while True:
            try:
                with self._pool.connection() as connection:
                    kept = store(connection)
                break
            except DatabaseError as error:
                _log.warning("errands.not_written", error=str(error))
                gevent.sleep(WRITE_AGAIN_S)
        self._tell(taken, became, kept=kept)

    def _tell(self, taken: QueuedErrand, became: Delivered | Retry | Dead, *, kept: bool) -> None:
        result = {Delivered: "delivered", Retry: "retried", Dead: "dead"}[type(became)]
        result = result if kept else "lost"
        self.counters.results[taken.kind, result] += 1
        tell = _log.info if result in ("delivered", "lost") else _log.warning
        tell(
            f"errand.{result}",
            domain_uuid=taken.domain_uuid,
            errand_uuid=taken.errand_uuid,
            kind=taken.kind,
            attempt=taken.attempts,
            why="" if isinstance(became, Delivered) else str(became)[:300],
        )

    def _count(self) -> None:
        if time.monotonic() - self._counted_at < COUNT_S:
            return
        with self._pool.connection(autocommit=True) as connection:
            self.counters.open = errands.count_open(connection)
        self._counted_at = time.monotonic()


def _over(taken: QueuedErrand, limit_s: float) -> bool:
    began = taken.first_attempt_at or taken.created_at
    return (datetime.now(UTC) - began).total_seconds() >= limit_s


def _store(
    connection: GreenConnection,
    *,
    taken: QueuedErrand,
    became: Delivered | Retry | Dead,
    in_s: float,
) -> bool:
    """What became of an attempt, and what follows from it, in one transaction."""
    if isinstance(became, Retry):
        return errands.retry(connection, taken.domain_uuid, taken, in_s=in_s, why=str(became))
    if isinstance(became, Dead):
        return errands.bury(connection, taken.domain_uuid, taken, str(became))
    kept = errands.finish(connection, taken.domain_uuid, taken, became.result, forget=became.forget)
    for one in became.more if kept else ():
        errands.insert(connection, taken.domain_uuid, one)
    if kept and became.forget and taken.waits_for is not None:
        errands.forget_result(connection, taken.domain_uuid, taken.waits_for)
    return kept
