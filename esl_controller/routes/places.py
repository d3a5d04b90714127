"""How many calls run, over all workers and hosts: each holds a lease in PostgreSQL.

A worker renews its leases; those of a worker that died run out. While the database is away, or
slower than a caller can wait, the worker counts its own calls alone: better a call too many than
callers turned away.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import gevent
import structlog
from gevent import Greenlet

from esl_controller.database.models import ProviderAccess, RouteEntry
from esl_controller.database.pool import DatabaseError, GreenConnection, Pool
from esl_controller.database.repository import leases
from esl_controller.database.repository.leases import Lease
from esl_controller.telemetry.background import forever

LEASE_S = 60.0
RENEW_S = 20.0
LONGEST_WAIT_S = 1.0
"""A caller waits this long for a place to be counted, ringing."""

_log = structlog.get_logger("leases")


class Refusal(enum.Enum):
    """Whose limit is reached."""

    TOTAL = "total"
    DOMAIN = "domain"
    SECRETARY = "secretary"
    PROVIDER = "provider"
    """Of every provider the call could use."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """Calls in progress, as far as they are known."""

    in_total: int
    in_domain: int
    of_secretary: int
    by_provider: Mapping[str, int]
    """Those of the domain, by `voice_realtime_provider_uuid`."""


@dataclass(slots=True)
class _Held:
    """A lease, and how many calls of this worker hold it: a call that goes from one secretary to
    another is here twice for a moment, and the first to end must not take the place along."""

    lease: Lease
    holders: int = 1


class CallLeases:
    """The leases of one worker. `total_limit` is the installation's, over all domains."""

    def __init__(self, pool: Pool, worker: str, *, total_limit: int | None = None) -> None:
        self._pool = pool
        self._worker = worker
        self._total_limit = total_limit
        self._held: dict[tuple[str, str], _Held] = {}
        self._renewing: Greenlet[..., None] | None = None

    def start(self) -> None:
        """Begin to renew."""
        self._renewing = forever("leases", self._renew_loop)

    def stop(self) -> None:
        """Stop renewing; what is still held runs out by itself."""
        if self._renewing is not None:
            self._renewing.kill(timeout=5)

    def acquire(self, entry: RouteEntry, call_uuid: str) -> RouteEntry | Refusal:
        """Take a place for a call, or say whose limit is reached.

        Returns `entry` with those of its providers that have room, in their order.
        """
        if not self._is_limited(entry):
            return entry
        try:
            placed = self._acquire(entry, call_uuid)
        except DatabaseError as error:
            _log.warning("lease_not_taken", domain_uuid=entry.domain_uuid, error=str(error))
            placed = self._placed(entry, self._own_count(entry, but_for=call_uuid))
        if isinstance(placed, RouteEntry):
            self._note(entry.domain_uuid, _lease(placed, call_uuid))
        return placed

    def room(self, entry: RouteEntry) -> RouteEntry | Refusal:
        """What `acquire` would answer now, taking no place. Raises DatabaseError."""
        if not self._is_limited(entry):
            return entry
        with self._pool.connection(autocommit=True, limit_s=LONGEST_WAIT_S) as connection:
            return self._placed(entry, _count(connection, entry))

    def release(self, domain_uuid: str, call_uuid: str) -> None:
        """Give back what one `acquire` took. Does not wait: the row goes in the background."""
        held = self._held.get((domain_uuid, call_uuid))
        if held is None:
            return
        held.holders -= 1
        if held.holders == 0:
            del self._held[domain_uuid, call_uuid]
            gevent.spawn(self._release, domain_uuid, call_uuid)

    def renew(self) -> None:
        """Prolong every lease held; what cannot be prolonged now is tried again the next time."""
        by_domain: dict[str, list[Lease]] = {}
        for (domain_uuid, _), one in self._held.items():
            by_domain.setdefault(domain_uuid, []).append(one.lease)
        for domain_uuid, held in by_domain.items():
            try:
                self._renew(domain_uuid, held)
            except DatabaseError as error:
                _log.warning("leases_not_renewed", domain_uuid=domain_uuid, error=str(error))

    def _renew(self, domain_uuid: str, held: list[Lease]) -> None:
        with self._pool.connection(autocommit=True) as connection:
            leases.hold(connection, domain_uuid, held, worker=self._worker, duration_s=LEASE_S)
            for lease in held:  # a call that ended meanwhile must not come back
                if (domain_uuid, lease.call_uuid) not in self._held:
                    leases.release(connection, domain_uuid, lease.call_uuid, worker=self._worker)

    def _note(self, domain_uuid: str, lease: Lease) -> None:
        before = self._held.get((domain_uuid, lease.call_uuid))
        holders = 1 if before is None else before.holders + 1
        self._held[domain_uuid, lease.call_uuid] = _Held(lease, holders)

    def _acquire(self, entry: RouteEntry, call_uuid: str) -> RouteEntry | Refusal:
        with self._pool.connection(limit_s=LONGEST_WAIT_S) as connection:
            leases.lock(connection, entry.domain_uuid)
            placed = self._placed(entry, _count(connection, entry, but_for=call_uuid))
            if isinstance(placed, RouteEntry):
                leases.hold(
                    connection,
                    entry.domain_uuid,
                    [_lease(placed, call_uuid)],
                    worker=self._worker,
                    duration_s=LEASE_S,
                    take_over=True,
                )
        return placed

    def _limits(self, entry: RouteEntry) -> dict[Refusal, int | None]:
        return {
            Refusal.TOTAL: self._total_limit,
            Refusal.DOMAIN: entry.tenant.max_concurrent_calls,
            Refusal.SECRETARY: entry.secretary.max_concurrent_calls,
        }

    def _is_limited(self, entry: RouteEntry) -> bool:
        limits = [*self._limits(entry).values(), *map(_limit, entry.providers)]
        return any(limit is not None for limit in limits)

    def _placed(self, entry: RouteEntry, taken: _Taken) -> RouteEntry | Refusal:
        counts = (taken.in_total, taken.in_domain, taken.of_secretary)
        for (who, limit), count in zip(self._limits(entry).items(), counts, strict=True):
            if limit is not None and count >= limit:
                return who
        roomy = tuple(access for access in entry.providers if _has_room(access, taken))
        if entry.providers and not roomy:
            return Refusal.PROVIDER
        return dataclasses.replace(entry, providers=roomy)

    def _own_count(self, entry: RouteEntry, *, but_for: str) -> _Taken:
        others = {key: one for key, one in self._held.items() if key[1] != but_for}
        own = [one.lease for (domain, _), one in others.items() if domain == entry.domain_uuid]
        secretaries = [lease.secretary_realtime_uuid for lease in own]
        return _Taken(
            in_total=len(others),
            in_domain=len(own),
            of_secretary=secretaries.count(entry.secretary.secretary_realtime_uuid),
            by_provider=Counter(lease.voice_realtime_provider_uuid or "" for lease in own),
        )

    def _release(self, domain_uuid: str, call_uuid: str) -> None:
        try:
            with self._pool.connection(autocommit=True) as connection:
                leases.release(connection, domain_uuid, call_uuid, worker=self._worker)
        except DatabaseError as error:  # it runs out by itself
            _log.warning("lease_not_released", domain_uuid=domain_uuid, error=str(error))

    def _renew_loop(self) -> None:
        while True:
            gevent.sleep(RENEW_S)
            self.renew()


def _count(connection: GreenConnection, entry: RouteEntry, *, but_for: str = "") -> _Taken:
    """What the database knows, expired leases and the asking call's own left out."""
    domain_uuid, secretary_uuid = entry.domain_uuid, entry.secretary.secretary_realtime_uuid
    row = leases.count(connection, domain_uuid, secretary_uuid, but_for=but_for)
    capped = any(_limit(access) is not None for access in entry.providers)
    by_provider = (
        leases.count_by_provider(connection, domain_uuid, but_for=but_for) if capped else {}
    )
    return _Taken(row["in_total"], row["in_domain"], row["of_secretary"], by_provider)


def _lease(entry: RouteEntry, call_uuid: str) -> Lease:
    first = next(iter(entry.providers), None)
    provider_uuid = first.config.voice_realtime_provider_uuid if first is not None else None
    return Lease(call_uuid, entry.secretary.secretary_realtime_uuid, provider_uuid or None)


def _limit(access: ProviderAccess) -> int | None:
    return access.config.max_concurrent_calls


def _has_room(access: ProviderAccess, taken: _Taken) -> bool:
    limit = _limit(access)
    used = taken.by_provider.get(access.config.voice_realtime_provider_uuid, 0)
    return limit is None or used < limit
