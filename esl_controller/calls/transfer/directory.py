"""The people and places of a tenant, as FusionPBX has them: read once in a while, and remembered.

FusionPBX's tables notify nobody, so what is remembered grows old by the clock. While the database
is away the last known good answer is given.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gevent
import structlog
from gevent import Greenlet

from esl_controller.calls.transfer.destination import Kind
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import places as repository
from esl_controller.database.repository.statements import Row
from esl_controller.telemetry.background import in_thread

TTL_S = 30.0
LONGEST_WAIT_S = 1.0
"""A caller who asks for somebody waits this long for a tenant that is asked about first."""
MAX_DOMAINS = 1000
MANY = 25
"""Places dealt with on the hub; more than these are dealt with in a thread."""

_KINDS = {
    "extension": Kind.EXTENSION,
    "ring_group": Kind.RING_GROUP,
    "greeting_group": Kind.RING_GROUP,
    "queue": Kind.QUEUE,
    "ivr": Kind.IVR,
    "voicemail": Kind.VOICEMAIL,
}
_log = structlog.get_logger("directory")


@dataclass(frozen=True, slots=True)
class Place:
    """One row of FusionPBX's, under a number of the tenant's own."""

    kind: Kind
    """IVR also for whatever else the dialplan has: a time condition, another secretary."""
    number: str
    names: tuple[str, ...]
    greets: bool = False
    """A ring group that answers with a greeting before it rings: nobody can be told who calls."""


@dataclass(frozen=True, slots=True)
class TenantPlaces:
    """Those of one tenant."""

    named: tuple[Place, ...]
    """In the order of the tables; mailboxes are not among them."""
    by_number: dict[str, Place]
    """By number and by alias."""
    mailboxes: frozenset[str]
    """Numbers that have one."""


@dataclass(slots=True)
class _Known:
    places: TenantPlaces | None
    read_at: float


class Directory:
    """What a worker remembers of all tenants."""

    def __init__(self, pool: Pool, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._reading: dict[str, Greenlet[..., None]] = {}

    def of(self, domain_uuid: str) -> TenantPlaces | None:
        """Those of a domain; None where FusionPBX is not, or nothing could be read yet."""
        if domain_uuid not in self._known:
            self._read_aside(domain_uuid).join(LONGEST_WAIT_S)
        return self.remembered(domain_uuid)

    def remembered(self, domain_uuid: str) -> TenantPlaces | None:
        """The same without waiting; what is old or missing is read meanwhile."""
        known = self._known.get(domain_uuid)
        if known is None or self._clock() - known.read_at > TTL_S:
            self._read_aside(domain_uuid)
        return None if known is None else known.places

    def stop(self) -> None:
        """Stop reading."""
        gevent.killall([*self._reading.values()], timeout=5)

    def _read_aside(self, domain_uuid: str) -> Greenlet[..., None]:
        """Of several who ask at once only the first reads."""
        reading = self._reading.get(domain_uuid)
        if reading is None:
            reading = self._reading[domain_uuid] = gevent.spawn(self._read, domain_uuid)
        return reading

    def _read(self, domain_uuid: str) -> None:
        try:
            with self._pool.connection(autocommit=True) as connection:
                rows = repository.list_places(connection, domain_uuid)
        except DatabaseError as error:
            _log.warning("directory_not_read", domain_uuid=domain_uuid, error=str(error))
            known = self._known.get(domain_uuid)
            if known is not None:
                known.read_at = self._clock()
        else:
            places = None if rows is None else _arranged_aside(rows)
            self._known[domain_uuid] = _Known(places, self._clock())
            self._known.move_to_end(domain_uuid)
            if len(self._known) > MAX_DOMAINS:
                self._known.popitem(last=False)
        finally:
            self._reading.pop(domain_uuid, None)


def _arranged_aside(rows: Sequence[Row]) -> TenantPlaces:
    made = in_thread(arranged, rows, KeyError) if len(rows) > MANY else arranged(rows)
    assert not isinstance(made, KeyError), "a statement without its columns"
    return made


def arranged(rows: Sequence[Row]) -> TenantPlaces:
    """Rows of `list_places`, found by what they are asked for. The first of a number counts: the
    tables that name what a number is come before the dialplan's."""
    found = [_place(row) for row in rows if row["number"]]
    mailboxes = frozenset(one.number for one in found if one.kind is Kind.VOICEMAIL)
    others: dict[str, Place] = {}
    for one in found:
        if one.kind is not Kind.VOICEMAIL:
            others.setdefault(one.number, one)
    by_number = dict(others)
    for one in others.values():
        for name in one.names:
            if name.isdigit():
                by_number.setdefault(name, one)
    return TenantPlaces(tuple(others.values()), by_number, mailboxes)


def _place(row: Row) -> Place:
    names = dict.fromkeys(name.strip() for name in row["names"] if name and name.strip())
    kind = _KINDS.get(row["kind"], Kind.IVR)
    return Place(kind, row["number"], tuple(names), greets=row["kind"] == "greeting_group")
