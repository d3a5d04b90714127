"""Stores spooled entries in the database, in order, each exactly once in effect."""

from __future__ import annotations

import dataclasses
import errno
import functools
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import gevent
import structlog
from gevent.event import Event

from bridge.wire.turns import others_first
from esl_controller.database.acts import AuditRecord, Errand, OutboundCall, WorkerLost
from esl_controller.database.models import (
    ConversationRealtime,
    UsageRecord,
)
from esl_controller.database.pool import DatabaseError, GreenConnection, Pool, RowRefused
from esl_controller.database.repository import conversations, errands, pages, tenants
from esl_controller.record import entries as journal_entries
from esl_controller.record.entries import EntryDamaged, SpoolEntry
from esl_controller.record.spool import Spool

BATCH_ENTRIES = 100
DECODED_ENTRIES = 25
"""In one go."""
FLUSH_INTERVAL_S = 1.0
"""What gathers meanwhile goes in one segment and few transactions."""
FIRST_RETRY_S = 0.1
LAST_RETRY_S = 5.0
MAX_STATEMENT_BYTES = 64 * 1024
"""Of entries in one statement: making its text takes half a millisecond of the hub."""
NO_SUCH_KEY = "23503"
"""SQLSTATE foreign_key_violation."""

BAD_DISK = (errno.EIO, errno.EBADMSG, errno.EUCLEAN)
"""What reading a file says when its blocks cannot be read, or are not what was written."""

_log = structlog.get_logger("journal")
_Line = tuple[bytes, SpoolEntry]


@dataclass(slots=True)
class JournalStatistics:
    """Counts of entries since start, and what waits."""

    recorded: int = 0
    durable: int = 0
    """On disk."""
    stored: int = 0
    """In the database; an entry stored again counts again."""
    rejected: int = 0
    """Refused by the database for good, or damaged: set aside under `rejected`. A segment the disk
    has lost counts once."""
    dropped: int = 0
    """Not taken: memory or spool at its limit, or the entry too long."""
    torn: int = 0
    """Ends of writes that a crash cut; nobody was told they were durable."""
    write_failures: int = 0
    write_error: str = ""
    """Why the spool cannot be written now; empty while it can."""
    flush_failures: int = 0
    adopted_segments: int = 0
    queue_bytes: int = 0
    spool_bytes: int = 0
    free_bytes: int = 0
    """Of the spool's disk, when last looked at."""


class JournalFlusher:
    """The journal's way from spool to database. `in_thread` runs a function of the spool."""

    def __init__(
        self,
        spool: Spool,
        in_thread: Callable[..., Any],
        pool: Pool,
        statistics: JournalStatistics,
    ) -> None:
        self._spool = spool
        self._in_thread = in_thread
        self._pool = pool
        self._statistics = statistics
        self._spooled = Event()
        self._progress = Event()

    def wake(self) -> None:
        """Say that the spool has something, or that something became durable."""
        self._spooled.set()
        self._progress.set()

    def wait_until(self, reached: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until `reached`, looking whenever something was written or stored."""
        deadline = time.monotonic() + timeout_s
        while not reached():
            self._progress.clear()
            if not self._progress.wait(timeout=max(0.0, deadline - time.monotonic())):
                return reached()
        return True

    def run(self) -> None:
        """Store segments as they come, for ever."""
        while True:
            self._spooled.clear()
            try:
                self._store_all()
            except OSError as error:  # the disk: the segment stays, and is stored again
                self._statistics.flush_failures += 1
                self._spooled.set()
                _log.error("spool_not_read", error=str(error))
                gevent.sleep(LAST_RETRY_S)
            gevent.sleep(FLUSH_INTERVAL_S)
            self._spooled.wait()

    def _store_all(self) -> None:
        """The thread is asked once for each segment: handing over costs more than its work."""
        stored: Path | None = None
        while (found := self._in_thread(self._spool.following, stored)) is not None:
            self._note_progress()
            segment, content = found
            if isinstance(content, bytes):
                self._store_lines(content)
                stored = segment
            elif content.errno in BAD_DISK:
                self._set_aside(segment, content)
                stored = None
            else:
                raise content
        self._note_progress()

    def _note_progress(self) -> None:
        self._statistics.spool_bytes = self._spool.waiting_bytes
        self._progress.set()

    def _store_lines(self, content: bytes) -> None:
        *raw_lines, tail = content.split(b"\n")
        self._statistics.torn += bool(tail)
        for start in range(0, len(raw_lines), BATCH_ENTRIES):
            if whole := self._whole(raw_lines[start : start + BATCH_ENTRIES]):
                self._store_until_done(whole)

    def _whole(self, raw_lines: list[bytes]) -> list[_Line]:
        """Decoded in pieces: many at once would hold up the hub."""
        whole: list[_Line] = []
        for start in range(0, len(raw_lines), DECODED_ENTRIES):
            pieces = map(self._decoded, raw_lines[start : start + DECODED_ENTRIES])
            whole += [line for line in pieces if line is not None]
            others_first()
        return whole

    def _set_aside(self, segment: Path, error: OSError) -> None:
        """What the disk has lost must not hold up what follows it."""
        self._statistics.rejected += 1
        _log.error("segment_unreadable", segment=segment.name, error=str(error))
        self._in_thread(self._spool.set_aside, segment)

    def _decoded(self, raw: bytes) -> _Line | None:
        try:
            return raw, journal_entries.decode(raw)
        except EntryDamaged as error:
            self._reject(raw, str(error))
            return None

    def _store_until_done(self, lines: list[_Line]) -> None:
        """Store a batch, however long the database is away."""
        for attempt in itertools.count():
            try:
                return self._store(lines)
            except DatabaseError as error:
                self._statistics.flush_failures += 1
                _log.warning("journal_not_stored", error=str(error), waiting=len(lines))
                gevent.sleep(min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(attempt, 10)))

    def _store(self, lines: list[_Line]) -> None:
        """Store a batch in one transaction, or one by one when the database refuses one of them."""
        try:
            refused = self._store_together(lines)
        except RowRefused as error:
            if len(lines) > 1:
                for line in lines:
                    self._store([line])
                return
            ((raw, entry),) = lines
            without = _without_reference(entry) if error.sqlstate == NO_SUCH_KEY else None
            if without is None:
                return self._reject(raw, str(error))
            return self._store([(raw, without)])
        self._statistics.stored += len(lines) - len(refused)
        for raw in refused:
            self._reject(raw, "its domain is gone, or its key belongs to another domain")

    def _store_together(self, lines: list[_Line]) -> list[bytes]:
        """In few statements: an entry by itself takes as long as ten together."""
        with self._pool.connection() as connection:
            refused: list[_Line] = []
            for together in stages(lines):
                refused += _store_stage(connection, together)
            _announce(connection, [entry for _, entry in lines])
            return [raw for raw, entry in refused if not _is_nobodys(entry)]

    def _reject(self, raw: bytes, reason: str) -> None:
        self._statistics.rejected += 1
        _log.error("entry_rejected", reason=reason.split("\n", 1)[0])
        self._in_thread(self._spool.reject, raw, reason)


def stages(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """In which order entries are stored, those of a list together.

    Conversations come before what refers to them. Of entries with the same key each has a statement
    of its own, in order. What ends a lost worker's conversations comes after all of its entries.
    """
    for lost, some in itertools.groupby(lines, key=lambda line: isinstance(line[1], WorkerLost)):
        part = list(some)
        if lost:
            yield part
            continue
        groups: dict[tuple[type, str], list[_Line]] = {}
        for line in sorted(part, key=lambda line: type(line[1]) is not ConversationRealtime):
            entry: Any = line[1]
            groups.setdefault((type(entry), entry.domain_uuid), []).append(line)
        for group in groups.values():
            for together in _rounds(group):
                yield from _pieces(together)


def _pieces(lines: list[_Line]) -> Iterator[list[_Line]]:
    """What fits in one statement, or one entry that does not."""
    begin = size = 0
    for end, (raw, _) in enumerate(lines):
        size += len(raw)
        if size > MAX_STATEMENT_BYTES and end > begin:
            yield lines[begin:end]
            begin, size = end, len(raw)
    yield lines[begin:]


def _rounds(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """No key twice in a round, each key's entries in order."""
    rounds: list[list[_Line]] = []
    seen: Counter[str] = Counter()
    for line in lines:
        key = _key(line[1])
        if seen[key] == len(rounds):
            rounds.append([])
        rounds[seen[key]].append(line)
        seen[key] += 1
    return iter(rounds)


def _key(entry: Any) -> str:
    return str(getattr(entry, _first_field(entry.__class__)))


@functools.cache
def _first_field(model: Any) -> str:
    """The first column of an entry's table is its key."""
    return dataclasses.fields(model)[0].name


def _without_reference(entry: SpoolEntry) -> SpoolEntry | None:
    """The entry without what may have been deleted while it was on its way, as the database itself
    would have left it (`on delete set null`); None when it has nothing of the kind."""
    if isinstance(entry, ConversationRealtime) and entry.secretary_realtime_uuid is not None:
        return replace(entry, secretary_realtime_uuid=None)
    if isinstance(entry, UsageRecord) and entry.conversation_uuid is not None:
        return replace(entry, conversation_uuid=None)
    return None


def _announce(connection: GreenConnection, entries: list[SpoolEntry]) -> None:
    """Tell who watches these conversations, on whatever worker."""
    changed: dict[str, set[str]] = {}
    for entry in entries:
        if not isinstance(entry, WorkerLost | UsageRecord | AuditRecord | OutboundCall | Errand):
            changed.setdefault(entry.domain_uuid, set()).add(entry.conversation_uuid)
    for domain_uuid, conversation_uuids in changed.items():
        pages.announce(connection, domain_uuid, sorted(conversation_uuids))


def _is_nobodys(entry: SpoolEntry) -> bool:
    """A call turned away in a domain that does not exist: anybody may dial one, and what is set
    aside for it would fill the disk."""
    return isinstance(entry, ConversationRealtime) and entry.outcome == "refused"


def _store_stage(connection: GreenConnection, lines: list[_Line]) -> list[_Line]:
    """Store entries of one kind and domain, no key twice; return those refused."""
    first = lines[0][1]
    if isinstance(first, WorkerLost | Errand):
        return [line for line in lines if not _store_entry(connection, line[1])]
    of_calls: Any = [entry for _, entry in lines]
    stored = conversations.store_together(connection, first.domain_uuid, of_calls)
    return [line for line in lines if _key(line[1]) not in stored]


def _store_entry(connection: GreenConnection, entry: SpoolEntry) -> bool:
    if isinstance(entry, Errand):
        return errands.insert(connection, entry.domain_uuid, entry)
    assert isinstance(entry, WorkerLost)
    conversations_lost(connection, entry.worker, entry.lost_at)
    return True


def conversations_lost(connection: GreenConnection, worker: str, lost_at: datetime) -> int:
    """End what a worker that no longer lives left open, in every domain; return how many.

    Any number of workers may do so at once.
    """
    return sum(
        conversations.close_abandoned(connection, domain["domain_uuid"], worker, lost_at)
        for domain in tenants.list_domains(connection)
    )
