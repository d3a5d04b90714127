"""What workers know of each other: each keeps a row in the database, and closes what the dead left.

Every ten seconds a worker says where it is and how full. One that has not been seen for a minute is
lost: whoever sees that first ends its open conversations, once, in every domain. That needs neither
its host name nor its spool volume to come back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
import structlog
from gevent import Greenlet

from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import workers
from esl_controller.database.repository.workers import WorkerRow
from esl_controller.record.flusher import conversations_lost
from esl_controller.telemetry.background import forever

BEAT_S = 10.0
RETRY_S = 2.0
"""Until the next beat when the database was away: the others should not think one lost."""
LOST_S = 60.0
"""Unseen for this long: lost. And a worker judges others only after it has itself been seen for as
long without a break: after an outage of the database everybody's row is old."""
LAST_WORD_S = 2.0
"""Longest a worker that ends waits to sign off."""

_log = structlog.get_logger("workers")


class WorkerRegister:
    """This worker's row; `describe` makes it anew for each beat."""

    def __init__(
        self,
        pool: Pool,
        describe: Callable[[], WorkerRow],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.last_error = ""
        """Why the row could not be written the last time; empty when it could, or before."""
        self.lost_seen = 0
        """Workers this one found lost."""
        self._pool = pool
        self._describe = describe
        self._clock = clock
        self._steady_since: float | None = None
        self._beating: Greenlet[..., None] | None = None

    @property
    def running(self) -> bool:
        """Begun, and not stopped."""
        return self._beating is not None

    def start(self) -> None:
        """Be seen from now on."""
        self._beating = forever("register", self._run)

    def stop(self, *, all_stored: bool) -> None:
        """Be seen no more. With something left to store the row stays: what cannot be stored by
        anybody is closed when it has grown old."""
        if self._beating is not None:
            self._beating.kill(timeout=5)
            self._beating = None
        if not all_stored:
            return
        try:
            with self._pool.connection(autocommit=True, limit_s=LAST_WORD_S) as connection:
                workers.leave(connection, self._describe().worker)
        except DatabaseError as error:
            _log.warning("worker_not_signed_off", error=str(error))

    def beat(self) -> bool:
        """Write the row now; False when the database is away."""
        try:
            with self._pool.connection(autocommit=True) as connection:
                workers.register(connection, self._describe())
        except DatabaseError as error:
            self._note_failure(str(error))
            return False
        self.last_error = ""
        if self._steady_since is None:
            self._steady_since = self._clock()
        return True

    def close_lost(self) -> int:
        """End the conversations of lost workers; return how many workers were lost.

        Raises DatabaseError; what is left undone is done by the next round, or another worker.
        """
        steady_since = self._steady_since
        if steady_since is None or self._clock() - steady_since < LOST_S:
            return 0
        with self._pool.connection(autocommit=True) as connection:
            lost = workers.list_lost(connection, LOST_S)
            for row in lost:
                closed = conversations_lost(connection, row["worker"], row["seen_at"])
                workers.leave(connection, row["worker"])
                _log.warning("worker_lost", worker=row["worker"], conversations_closed=closed)
        self.lost_seen += len(lost)
        return len(lost)

    def _run(self) -> None:
        while True:
            seen = self.beat()
            if seen:
                try:
                    self.close_lost()
                except DatabaseError as error:
                    self._note_failure(str(error))
            gevent.sleep(BEAT_S if seen else RETRY_S)

    def _note_failure(self, error: str) -> None:
        if error != self.last_error:
            _log.warning("worker_not_registered", error=error)
        self.last_error = error
        self._steady_since = None
