"""Events to handlers: in order, in a greenlet of their own, through a bounded queue."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import gevent

from bridge.short_queue import ShortQueue

from .events import Event

MAX_QUEUED_EVENTS: Final = 1024
MAX_QUEUED_EVENT_BYTES: Final = 8 * 1024 * 1024
"""What a handler that never returns can make us hold."""

ESSENTIAL: Final = frozenset(
    {
        "CHANNEL_ANSWER",
        "CHANNEL_BRIDGE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_EXECUTE_COMPLETE",
        "BACKGROUND_JOB",
        "DTMF",
        "mod_audio_stream::connect",
        "mod_audio_stream::disconnect",
        "mod_audio_stream::error",
    }
)
"""Dropped last: a call cannot do without them."""

ANY: Final = "*"
Handler = Callable[[Event], Any]

_log = logging.getLogger("esl")


class Dispatcher:
    """Calls the handlers of each event, one event after the other.

    The greenlet exists only while there is something to deliver: an idle call costs nothing and
    leaves nothing behind. A handler that raises is reported and ends nothing else.
    """

    def __init__(self) -> None:
        self.dropped_events = 0
        self.handler_errors = 0
        self._handlers: dict[str, list[Handler]] = {}
        self._queue: ShortQueue[tuple[str, int, Event]] = ShortQueue()
        self._queued_bytes = 0
        self._worker: gevent.Greenlet[[], None] | None = None
        self._closed = False

    def on(self, key: str, handler: Handler) -> Callable[[], None]:
        """Register `handler` for an event name, a CUSTOM subclass or `ANY`; return its removal."""
        handlers = self._handlers.setdefault(key, [])
        handlers.append(handler)
        return partial(_remove, handlers, handler)

    def put(self, event: Event, size_bytes: int) -> None:
        """Queue `event` for its handlers. Never waits; drops the least needed beyond the limit."""
        key = event.key
        if self._closed or not (self._handlers.get(key) or self._handlers.get(ANY)):
            return
        self._queue.append((key, size_bytes, event))
        self._queued_bytes += size_bytes
        while len(self._queue) > MAX_QUEUED_EVENTS or self._queued_bytes > MAX_QUEUED_EVENT_BYTES:
            self._drop_one()
        if self._worker is None:
            self._worker = gevent.spawn(self._deliver)

    def close(self, timeout_s: float) -> None:
        """Forget what is queued and end the running handler, unless it is the one that calls."""
        self._closed = True
        self._queue.clear()
        self._queued_bytes = 0
        worker = self._worker
        if worker is not None and worker is not gevent.getcurrent():
            worker.kill(block=True, timeout=timeout_s)

    def _drop_one(self) -> None:
        self.dropped_events += 1
        for index, (key, size_bytes, _) in enumerate(self._queue):
            if key not in ESSENTIAL:
                self._queued_bytes -= size_bytes
                del self._queue[index]
                return
        self._queued_bytes -= self._queue.popleft()[1]

    def _deliver(self) -> None:
        try:
            while self._queue:
                key, size_bytes, event = self._queue.popleft()
                self._queued_bytes -= size_bytes
                for handler in (*self._handlers.get(key, ()), *self._handlers.get(ANY, ())):
                    self._call(handler, event)
        finally:
            self._worker = None

    def _call(self, handler: Handler, event: Event) -> None:
        """Call one handler: the boundary where whatever it raises is reported and stays."""
        try:
            handler(event)
        except (Exception, gevent.Timeout):  # noqa: BLE001
            self.handler_errors += 1
            _log.exception("handler of %s failed", event.key)


def _remove(handlers: list[Handler], handler: Handler) -> None:
    if handler in handlers:
        handlers.remove(handler)
