"""Makes the calls that are to be made: looks for them, takes each by lease, has it dialled.

Any number of workers look. A call is one worker's for as long as its lease lasts; when a worker
dies its leg dies with it, the lease runs out, and another takes the call for the next attempt.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import gevent
import structlog
from gevent.pool import Pool as Greenlets

from esl_controller.database.acts import AuditRecord, OutboundCall
from esl_controller.database.models import RouteEntry
from esl_controller.database.pool import DatabaseError, GreenConnection, Pool
from esl_controller.database.repository import conversations, outbound
from esl_controller.database.repository.outbound import Caps
from esl_controller.routes.hours import opening_of
from esl_controller.routes.routing import HandBack
from esl_controller.tenants.loader import ConfigError, ConfigLoader

LOOK_S = 5.0
LEASE_S = 30.0
RENEW_S = 10.0
SETTLE_S = 2 * RENEW_S
"""After an outage of the database: by then who still makes a call has renewed its lease."""
RETRY_S = 900.0
"""Between two attempts to reach somebody."""
PUT_OFF_S = 300.0
"""Until it is seen again whether there is a place and a budget for a call."""
MAX_AT_ONCE = 20
"""Of one worker."""
LOOKED_AT = 50
_REFUSED = ("UNALLOCATED_NUMBER", "INVALID_NUMBER_FORMAT", "NO_ROUTE_DESTINATION")
"""Causes that another attempt does not change (Q.850 1, 28, 3)."""

_log = structlog.get_logger("outbound")


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one attempt."""

    served: bool
    """Somebody or something was spoken to."""
    cause: str = ""
    """FreeSWITCH's: why nobody was reached, or how the call ended."""
    call_uuid: str = ""
    answered_by: str | None = None


class Dialler(Protocol):
    """Who makes the calls."""

    @property
    def room(self) -> bool:
        """Another call may be made now."""

    def make(self, call: OutboundCall, entry: RouteEntry, call_uuid: str) -> Made:
        """Make it, and return when it is over."""


class OutboundService:
    """The one of a worker."""

    def __init__(
        self,
        pool: Pool,
        config: ConfigLoader,
        dialler: Dialler,
        worker: str,
        may_be_served: Callable[[RouteEntry], object],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`may_be_served` raises HandBack where a call would be turned away once it is answered;
        may wait, and raise DatabaseError."""
        self._pool = pool
        self._config = config
        self._dialler = dialler
        self._worker = worker
        self._may_be_served = may_be_served
        self._now = now
        self._making = Greenlets()
        self._mine: set[str] = set()
        """Calls being made, and those of which it is not written yet what became."""

    def run(self) -> None:
        """Look, for ever. In an outage of the database leases run out of calls that go on."""
        away = False
        while True:
            try:
                if away:
                    self._due()
                    gevent.sleep(SETTLE_S)
                    away = False
                self.run_once()
            except DatabaseError as error:
                away = True
                _log.warning("outbound.not_looked", error=str(error))
            gevent.sleep(LOOK_S)

    def run_once(self) -> int:
        """Begin what can be begun now; return how many calls."""
        if not self._has_room():
            return 0
        with self._pool.connection(autocommit=True) as connection:
            outbound.expire(connection)
        return sum(self._begin(call) for call in self._due() if self._has_room())

    def _due(self) -> list[OutboundCall]:
        with self._pool.connection(autocommit=True) as connection:
            due = outbound.list_due(connection, LOOKED_AT)
        return [call for call in due if call.outbound_uuid not in self._mine]

    def stop(self) -> None:
        """Forget the calls being made: their legs end with the worker, their leases run out."""
        self._making.kill(block=False)

    def wait(self, timeout_s: float) -> bool:
        """Until no call is being made; False when that takes longer."""
        return bool(self._making.join(timeout_s))

    def _has_room(self) -> bool:
        return self._dialler.room and len(self._making) < MAX_AT_ONCE

    def _begin(self, call: OutboundCall) -> bool:
        entry = self._entry_of(call)
        if entry is None or self._put_off(call, entry):
            return False
        taken, call_uuid = self._take(call, entry)
        if taken is None:
            return False
        self._making.spawn(self._make, taken, entry, call_uuid)
        return True

    def _entry_of(self, call: OutboundCall) -> RouteEntry | None:
        """Who talks. What can never be made is given up."""
        try:
            entry = self._config.secretary_for(call.domain_uuid, call.extension)
        except (ConfigError, DatabaseError) as error:
            _log.warning("outbound.no_settings", number=call.extension, error=str(error))
            return None
        if not isinstance(entry, RouteEntry):
            self._give_up(call, "NO_SECRETARY")
            return None
        if call.attempts >= call.max_attempts:
            self._give_up(call, "WORKER_LOST")
            return None
        return entry

    def _put_off(self, call: OutboundCall, entry: RouteEntry) -> bool:
        """Nobody is called outside the secretary's hours, or to be turned away when he answers."""
        hours = opening_of(entry, self._now())
        until = hours.next_open_at or call.not_after
        if hours.open:
            try:
                self._may_be_served(entry)
                return False
            except HandBack as why:
                _log.info("outbound.put_off", domain_uuid=call.domain_uuid, why=str(why))
                until = self._now() + timedelta(seconds=PUT_OFF_S)
        with self._pool.connection(autocommit=True) as connection:
            outbound.postpone(connection, call.domain_uuid, call.outbound_uuid, until)
        return True

    def _take(self, call: OutboundCall, entry: RouteEntry) -> tuple[OutboundCall | None, str]:
        tenant, call_uuid = entry.tenant, str(uuid.uuid4())
        caps = Caps(
            tenant.outbound_max_concurrent, tenant.outbound_per_hour, tenant.outbound_per_day
        )
        with self._pool.connection() as connection:
            taken = outbound.take(
                connection,
                call.domain_uuid,
                call.outbound_uuid,
                worker=self._worker,
                lease_s=LEASE_S,
                caps=caps,
            )
            if taken is not None:
                attempt = _attempt(taken, call_uuid, self._worker, self._now())
                conversations.store(connection, call.domain_uuid, attempt)
        return taken, call_uuid

    def _make(self, call: OutboundCall, entry: RouteEntry, call_uuid: str) -> None:
        renewing = gevent.spawn(self._renew, call)
        self._mine.add(call.outbound_uuid)
        try:
            try:
                made = self._dialler.make(call, entry, call_uuid)
            except Exception:  # noqa: BLE001 - boundary: one call must not end the others
                _log.exception("outbound.failed")
                made = Made(served=False, cause="INTERNAL")
            _log.info("outbound.made", cause=made.cause, answered_by=made.answered_by)
            self._decide(call, made)
        finally:
            self._mine.discard(call.outbound_uuid)
            renewing.kill(block=False)

    def _decide(self, call: OutboundCall, made: Made) -> None:
        """Written until it is: a call that was made must not be made again."""
        while True:
            try:
                with self._pool.connection(autocommit=True) as connection:
                    self._write(connection, call, made)
                return
            except DatabaseError as error:
                _log.warning("outbound.not_written", error=str(error))
                gevent.sleep(RENEW_S)

    def _write(self, connection: GreenConnection, call: OutboundCall, made: Made) -> None:
        names = (connection, call.domain_uuid, call.outbound_uuid)
        if made.served:
            outbound.finish(
                *names,
                worker=self._worker,
                answered_by=made.answered_by,
                call_uuid=made.call_uuid,
                cause=made.cause,
            )
            return
        outbound.try_again(*names, worker=self._worker, in_s=RETRY_S, cause=made.cause)
        if made.cause in _REFUSED:
            outbound.give_up(*names, made.cause)

    def _renew(self, call: OutboundCall) -> None:
        while True:
            gevent.sleep(RENEW_S)
            try:
                with self._pool.connection(autocommit=True) as connection:
                    names = (call.domain_uuid, call.outbound_uuid)
                    outbound.renew(connection, *names, self._worker, LEASE_S)
            except DatabaseError as error:
                _log.warning("outbound.not_renewed", error=str(error))

    def _give_up(self, call: OutboundCall, cause: str) -> None:
        with self._pool.connection(autocommit=True) as connection:
            outbound.give_up(connection, call.domain_uuid, call.outbound_uuid, cause)


def _attempt(call: OutboundCall, call_uuid: str, worker: str, now: datetime) -> AuditRecord:
    """The audit row of one attempt."""
    return AuditRecord(
        audit_uuid=str(uuid.uuid4()),
        domain_uuid=call.domain_uuid,
        call_uuid=call_uuid,
        actor=call.requested_by or call.origin,
        action=outbound.DIAL,
        detail=call.number,
        result="done",
        worker=worker,
        acted_at=now,
    )
