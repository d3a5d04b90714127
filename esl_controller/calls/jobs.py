"""A call's inbox: what the hub and other greenlets want done in the call's own greenlet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog
from gevent.event import Event

from bridge.ports import SessionEnd
from bridge.providers.base import ErrorKind
from bridge.short_queue import ShortQueue

LIMIT = 512
"""Jobs are few per turn; this many means that the call's greenlet is stuck."""

Job = Callable[[], None]
_log = structlog.get_logger("call")


class Inbox:
    """One reader, many writers; writing never waits."""

    def __init__(self) -> None:
        self.dropped = 0
        self._jobs: ShortQueue[Job] = ShortQueue()
        self._posted = Event()
        self._closed = False

    def post(self, job: Job) -> None:
        """Have `job` done soon; it may wait and may raise what ends the call."""
        if self._closed:
            return
        if len(self._jobs) >= LIMIT:
            self.dropped += 1
            _log.error("call.inbox_full", dropped=self.dropped)
            return
        self._jobs.append(job)
        self._posted.set()

    def close(self) -> None:
        """The call is over: what was to be done goes, and what comes is not kept."""
        self._jobs.clear()
        self._closed = True

    def do_next(self, timeout_s: float | None = None) -> bool:
        """Do one job; False when none came in time. Raises what the job raises."""
        if not self._jobs:
            self._posted.clear()
            self._posted.wait(timeout_s)
        if not self._jobs:
            return False
        self._jobs.popleft()()
        return True


class CallJobs(Protocol):
    """What a conversation has its call do, in the call's own greenlet."""

    def on_prepared(self) -> None:
        """The greeting is here, or none is wanted: the line may open."""

    def on_trouble(self, kind: ErrorKind, code: str, message: str) -> None:
        """A provider failed."""

    def on_answer_late(self) -> None:
        """The caller waits for an answer."""

    def on_stream_lost(self) -> None:
        """The caller's stream is gone."""

    def on_ended(self, end: SessionEnd) -> None:
        """The session is over."""
