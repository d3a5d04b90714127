"""How many calls run, over all workers and hosts: each holds a lease in PostgreSQL.

A worker renews its leases; those of a worker that died run out. While the database is away the
worker counts its own calls alone: better a call too many than callers turned away.
"""

from __future__ import annotations

import enum

import gevent
import structlog
from gevent import Greenlet

from esl_controller.models import RouteEntry
from esl_controller.pool import DatabaseError, Pool
from esl_controller.repository import leases
from esl_controller.repository.statements import Row

LEASE_S = 60.0
RENEW_S = 20.0

_log = structlog.get_logger("leases")
_Limit = tuple[str, int | None]


class Refusal(enum.Enum):
    """Whose limit is reached."""

    TOTAL = "total"
    DOMAIN = "domain"
    SECRETARY = "secretary"


class CallLeases:
    """The leases of one worker. `total_limit` is the installation's, over all domains."""

    def __init__(self, pool: Pool, worker: str, *, total_limit: int | None = None) -> None:
        self._pool = pool
        self._worker = worker
        self._total_limit = total_limit
        self._held: dict[tuple[str, str], str] = {}
        self._renewing: Greenlet[..., None] | None = None

    def start(self) -> None:
        """Begin to renew."""
        self._renewing = gevent.spawn(self._renew_loop)

    def stop(self) -> None:
        """Stop renewing; what is still held runs out by itself."""
        if self._renewing is not None:
            self._renewing.kill(timeout=5)

    def acquire(self, entry: RouteEntry, call_uuid: str) -> Refusal | None:
        """Take a place for a call, None; or say whose limit is reached."""
        if not any(limit is not None for limit in self._limits(entry).values()):
            return None
        try:
            refusal = self._acquire(entry, call_uuid)
        except DatabaseError as error:
            _log.warning("lease_not_taken", domain_uuid=entry.domain_uuid, error=str(error))
            refusal = self._refusal(entry, self._own_count(entry))
        if refusal is None:
            secretary_uuid = entry.secretary.secretary_realtime_uuid
            self._held[entry.domain_uuid, call_uuid] = secretary_uuid
        return refusal

    def release(self, domain_uuid: str, call_uuid: str) -> None:
        """Give a call's place back. Does not wait: the row goes in the background."""
        if self._held.pop((domain_uuid, call_uuid), None) is not None:
            gevent.spawn(self._release, domain_uuid, call_uuid)

    def renew(self) -> None:
        """Prolong every lease held."""
        by_domain: dict[str, list[str]] = {}
        for domain_uuid, call_uuid in self._held:
            by_domain.setdefault(domain_uuid, []).append(call_uuid)
        for domain_uuid, call_uuids in by_domain.items():
            with self._pool.connection(autocommit=True) as connection:
                leases.renew(connection, domain_uuid, call_uuids, LEASE_S)

    def _acquire(self, entry: RouteEntry, call_uuid: str) -> Refusal | None:
        secretary_uuid = entry.secretary.secretary_realtime_uuid
        with self._pool.connection() as connection:
            leases.lock(connection, entry.domain_uuid)
            taken = leases.count(connection, entry.domain_uuid, secretary_uuid)
            refusal = self._refusal(entry, taken)
            if refusal is None:
                leases.insert(
                    connection,
                    entry.domain_uuid,
                    call_uuid,
                    secretary_realtime_uuid=secretary_uuid,
                    worker=self._worker,
                    duration_s=LEASE_S,
                )
        return refusal

    def _limits(self, entry: RouteEntry) -> dict[Refusal, int | None]:
        return {
            Refusal.TOTAL: self._total_limit,
            Refusal.DOMAIN: entry.tenant.max_concurrent_calls,
            Refusal.SECRETARY: entry.secretary.max_concurrent_calls,
        }

    def _refusal(self, entry: RouteEntry, taken: Row) -> Refusal | None:
        counts = {
            Refusal.TOTAL: taken["in_total"],
            Refusal.DOMAIN: taken["in_domain"],
            Refusal.SECRETARY: taken["of_secretary"],
        }
        reached = (
            who
            for who, limit in self._limits(entry).items()
            if limit is not None and counts[who] >= limit
        )
        return next(reached, None)

    def _own_count(self, entry: RouteEntry) -> Row:
        domains = [domain_uuid for domain_uuid, _ in self._held]
        secretary_uuid = entry.secretary.secretary_realtime_uuid
        return {
            "in_total": len(domains),
            "in_domain": domains.count(entry.domain_uuid),
            "of_secretary": list(self._held.values()).count(secretary_uuid),
        }

    def _release(self, domain_uuid: str, call_uuid: str) -> None:
        try:
            with self._pool.connection(autocommit=True) as connection:
                leases.release(connection, domain_uuid, call_uuid)
        except DatabaseError as error:  # it runs out by itself
            _log.warning("lease_not_released", domain_uuid=domain_uuid, error=str(error))

    def _renew_loop(self) -> None:
        while True:
            gevent.sleep(RENEW_S)
            try:
                self.renew()
            except DatabaseError as error:
                _log.warning("leases_not_renewed", held=len(self._held), error=str(error))
