"""Conversations on their way into the database: nothing waits for it, nothing is lost with it.

`record` puts an entry in memory and returns. A writer appends what has gathered to the spool, and
syncs it, in a thread (media never waits for a disk); a flusher stores spooled entries in order and
deletes them when the database has committed. Keys are given by whoever records, so storing twice
changes nothing: after an outage or a kill the spool is simply stored again.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import gevent
import structlog
from gevent import Greenlet
from gevent.event import Event
from gevent.threadpool import ThreadPool

from bridge.wire.turns import others_first
from esl_controller.database.acts import WorkerLost
from esl_controller.database.models import JournalEntry
from esl_controller.database.pool import Pool
from esl_controller.record import entries as journal_entries
from esl_controller.record import privacy
from esl_controller.record.entries import EntryTooLong
from esl_controller.record.flusher import JournalFlusher, JournalStatistics
from esl_controller.record.spool import Spool
from esl_controller.telemetry.background import forever

MAX_WRITE_LINES = 1000
MAX_TOLD = 10_000
"""Kept to be put down later; with more of it waiting, all is put down at once."""
MAX_SETTLED = 10
"""Put down in one go: half a millisecond of the hub."""
SETTLED_AT_ONCE = 10
"""So many times that before it is written."""
WRITE_RETRY_S = 1.0
GATHER_S = 0.1
"""Entries come in handfuls, and the disk takes as long for one as for all of them. A worker that is
killed loses what it has not written yet: at most so much more of it."""
ADOPT_INTERVAL_S = 30.0
MAX_QUEUE_BYTES = 64 * 1024 * 1024
MAX_SPOOL_BYTES = 2 * 1024 * 1024 * 1024

_log = structlog.get_logger("journal")
_T = TypeVar("_T")


class Journal:
    """The journal of one worker. `start` before the first call, `stop` after the last."""

    def __init__(self, spool_dir: Path, pool: Pool) -> None:
        self.statistics = JournalStatistics()
        self._spool = Spool(spool_dir)
        self._thread = ThreadPool(1)  # one thread: the spool is never used by two at once
        self._flusher = JournalFlusher(self._spool, self._in_thread, pool, self.statistics)
        self._told: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._queue: deque[bytes] = deque()
        self._queued = Event()
        self._greenlets: list[Greenlet[..., None]] = []

    @property
    def worker(self) -> str:
        """What to write in `ConversationRealtime.worker`, so that a crash closes what it left."""
        return self._spool.worker

    def record(self, entry: JournalEntry, *, personal: bool = False) -> bool:
        """Take an entry; never waits. False when it had to be dropped (counted and logged).

        Card numbers are redacted always, other personal data with `personal` (see `privacy`).
        """
        statistics = self.statistics
        try:
            line = journal_entries.encode(privacy.redact(entry, personal=personal))
        except EntryTooLong as error:
            return self._drop(entry, str(error))
        if statistics.queue_bytes + len(line) > MAX_QUEUE_BYTES:
            return self._drop(entry, "memory at its limit")
        if statistics.spool_bytes > MAX_SPOOL_BYTES:
            return self._drop(entry, "spool at its limit")
        statistics.recorded += 1
        statistics.queue_bytes += len(line)
        self._queue.append(line)
        self._queued.set()
        return True

    def later(self, put_down: Callable[..., object], *arguments: Any) -> None:
        """Call `put_down`, which records something, when what has gathered is written.

        What many calls tell is put down in one go then: one by one, each would find the processor's
        caches full of audio, and take several times as long.
        """
        self._told.append((put_down, arguments))
        if len(self._told) >= MAX_TOLD:
            self.settle()
        self._queued.set()

    def settle(self, most: int = MAX_TOLD) -> None:
        """Put down now what waits for it, in order."""
        for _ in range(min(most, len(self._told))):
            put_down, arguments = self._told.popleft()
            try:
                put_down(*arguments)
            except Exception:  # noqa: BLE001 - one call's bug must not keep the others from the disk
                _log.exception("entry_not_made")

    def start(self) -> None:
        """Take over what workers that are gone left behind, and begin to write and store."""
        self._adopt()
        self._greenlets = [
            forever("journal_writer", self._write_loop),
            forever("journal_flusher", self._flusher.run),
            forever("spool_adoption", self._adopt_loop),
        ]

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Write and store what is there; False when some stays in the spool for the next start."""
        stored = self.wait_stored(timeout_s)
        gevent.killall(self._greenlets, timeout=5)
        self._in_thread(self._spool.close)
        self._thread.kill()
        return stored

    def wait_durable(self, timeout_s: float) -> bool:
        """Wait until everything recorded so far is on disk; False when it takes longer."""
        self.settle()
        wanted = self.statistics.recorded
        return self._flusher.wait_until(lambda: self.statistics.durable >= wanted, timeout_s)

    def wait_stored(self, timeout_s: float) -> bool:
        """Wait until nothing waits in memory or spool; False when it takes longer."""
        self.settle()
        waiting = self.statistics
        return self._flusher.wait_until(
            lambda: waiting.queue_bytes == 0 and waiting.spool_bytes == 0, timeout_s
        )

    def _drop(self, entry: JournalEntry, reason: str) -> bool:
        self.statistics.dropped += 1
        kind = type(entry).__name__
        _log.error("entry_dropped", domain_uuid=entry.domain_uuid, kind=kind, reason=reason)
        return False

    def _write_loop(self) -> None:
        while True:
            while self._told or self._queue:
                self._settle_some()
                if self._queue:
                    self._write_batch()
            self._queued.clear()
            self._queued.wait()
            gevent.sleep(GATHER_S)

    def _settle_some(self) -> None:
        for _ in range(SETTLED_AT_ONCE):
            if not self._told:
                return
            self.settle(MAX_SETTLED)
            others_first()

    def _write_batch(self) -> None:
        """Write what has gathered; it stays in the queue until the disk has it."""
        lines = list(itertools.islice(self._queue, MAX_WRITE_LINES))
        size = sum(map(len, lines))
        try:
            self._in_thread(self._spool.append, b"".join(lines))
        except OSError as error:
            self._write_failed(str(error))
            gevent.sleep(WRITE_RETRY_S)
            return
        if self.statistics.write_error:
            self.statistics.write_error = ""
            _log.info("spool_written_again", waiting_bytes=self.statistics.queue_bytes)
        for _ in lines:
            self._queue.popleft()
        self.statistics.durable += len(lines)
        self.statistics.spool_bytes = self._spool.waiting_bytes
        self.statistics.queue_bytes -= size
        self._flusher.wake()

    def _write_failed(self, error: str) -> None:
        """Told when it changes: a line a second would help to fill the disk that is full."""
        if error != self.statistics.write_error:
            _log.error("spool_not_written", error=error)
        self.statistics.write_failures += 1
        self.statistics.write_error = error

    def _adopt_loop(self) -> None:
        while True:
            gevent.sleep(ADOPT_INTERVAL_S)
            self._adopt()

    def _adopt(self) -> None:
        try:
            self.statistics.adopted_segments += self._in_thread(self._spool.adopt, _obituary)
            self._in_thread(self._spool.forget_rejected)
            self.statistics.free_bytes = self._in_thread(self._spool.free_bytes)
        except OSError as error:  # a full disk: tried again with the next round
            self.statistics.write_failures += 1
            _log.error("spool_not_taken_over", error=str(error))
        self.statistics.spool_bytes = self._spool.waiting_bytes
        self._flusher.wake()

    def _in_thread(self, function: Callable[..., _T], *arguments: object) -> _T:
        result: _T | OSError = self._thread.apply(_returned, (function, arguments))
        if isinstance(result, OSError):
            raise result
        return result


def _returned(function: Callable[..., _T], arguments: tuple[object, ...]) -> _T | OSError:
    """What `function` returns or raises: gevent prints what is raised in a thread, past the log."""
    try:
        return function(*arguments)
    except OSError as error:
        return error


def _obituary(worker: str) -> bytes:
    return journal_entries.encode(WorkerLost(worker=worker, lost_at=datetime.now(UTC)))
