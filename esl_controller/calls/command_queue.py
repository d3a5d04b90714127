"""Commands to FreeSWITCH that the hub wants sent: in order, one greenlet, only while needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent

from bridge.short_queue import ShortQueue
from esl_controller.esl.errors import CallGone, EslError
from esl_controller.telemetry.log import call_logger

MAX_WAITING = 128
"""FreeSWITCH closes the socket past 256 queued messages on one call."""


class Outbox:
    """Runs posted jobs one after the other; never blocks who posts."""

    def __init__(self) -> None:
        self.dropped = 0
        self._jobs: ShortQueue[Callable[[], Any]] = ShortQueue()
        self._worker: gevent.Greenlet[..., None] | None = None
        self._closed = False
        self._log = call_logger()

    def post(self, job: Callable[[], Any]) -> None:
        """Take a job from the hub or any greenlet."""
        if self._closed or len(self._jobs) >= MAX_WAITING:
            self.dropped += 1
            return
        self._jobs.append(job)
        if self._worker is None:
            self._worker = gevent.spawn(self._run)

    def close(self) -> None:
        """Forget what waits and end the one running."""
        self._closed = True
        self._jobs.clear()
        if self._worker is not None:
            self._worker.kill(block=False)
            self._worker = None

    def _run(self) -> None:
        try:
            while self._jobs:
                self._do(self._jobs.popleft())
        finally:
            self._worker = None

    def _do(self, job: Callable[[], Any]) -> None:
        try:
            job()
        except CallGone:
            self._jobs.clear()
        except EslError as error:
            self._log.warning("call.command_refused", error=str(error))
