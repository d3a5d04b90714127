"""A call's inbox: what the hub and other greenlets want done in the call's own greenlet."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from gevent.queue import Empty, Full, Queue

LIMIT = 512
"""Jobs are few per turn; this many means that the call's greenlet is stuck."""

Job = Callable[[], None]
_log = structlog.get_logger("call")


class Inbox:
    """One reader, many writers; writing never waits."""

    def __init__(self) -> None:
        self.dropped = 0
        self._jobs: Queue[Job] = Queue(LIMIT)

    def post(self, job: Job) -> None:
        """Have `job` done soon; it may wait and may raise what ends the call."""
        try:
            self._jobs.put_nowait(job)
        except Full:
            self.dropped += 1
            _log.error("call.inbox_full", dropped=self.dropped)

    def do_next(self, timeout_s: float | None = None) -> bool:
        """Do one job; False when none came in time. Raises what the job raises."""
        try:
            job = self._jobs.get(timeout=timeout_s)
        except Empty:
            return False
        job()
        return True
