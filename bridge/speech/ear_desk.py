"""The audio of one caller who is heard: in order, and not kept when that takes too long."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

from bridge.speech.counters import Counters
from bridge.speech.messages import Reply, Told
from bridge.speech.service import Ear

_log = logging.getLogger("bridge.speech")

MAX_BEHIND_S = 8.0
"""Older audio is dropped: words that come so late answer nothing. A session that begins anew gives
what its caller said before at once, up to seven seconds of it."""
AT_A_TIME_S = 0.2
"""Then everybody else has a turn."""
WORTH_IT_S = 0.04
"""Less is left lying until more comes: waking a thread costs as much as looking at it."""


class EarDesk:
    """Takes audio in the reading thread; hears in the process's workers."""

    def __init__(
        self,
        ear: Ear,
        rate_hz: int,
        workers: Executor,
        counters: Counters,
        tell: Callable[[Reply], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell` raises OSError when the client has left."""
        self._ear = ear
        self._bytes_a_second = 2 * rate_hz
        self._workers = workers
        self._counters = counters
        self._tell = tell
        self._clock = clock
        self._queue: deque[tuple[bytes, float]] = deque()
        self._queued_bytes = 0
        self._lock = threading.Lock()
        self._hearing = self._closed = False

    def hear(self, data: bytes) -> None:
        """Take 16-bit samples."""
        with self._lock:
            self._queue.append((data, self._clock()))
            self._queued_bytes += len(data)
            self._counters.add("waiting")
            while self._queued_bytes > MAX_BEHIND_S * self._bytes_a_second:
                self._drop()
            little = self._queued_bytes < WORTH_IT_S * self._bytes_a_second
            if self._hearing or self._closed or little:
                return
            self._hearing = True
        self._workers.submit(self._hear_next)

    def close(self) -> None:
        """The caller has left; the ear is closed when nobody uses it."""
        with self._lock:
            self._counters.add("waiting", -len(self._queue))
            self._queue.clear()
            self._queued_bytes = 0
            closed, self._closed = self._closed, True
            if closed or self._hearing:
                return
        self._ear.close()

    def _drop(self) -> None:
        data, _ = self._queue.popleft()
        self._queued_bytes -= len(data)
        self._counters.add("waiting", -1)
        self._counters.add("dropped_audio_ms", len(data) * 1000 // self._bytes_a_second)

    def _hear_next(self) -> None:
        data, came_at = self._take()
        if not data:
            return
        try:
            for reply in self._ear.hear(data):
                if reply.told is Told.TURN:
                    self._counters.recognised(self._clock() - came_at)
                self._tell(reply)
        except OSError as error:
            _log.info("nobody waits for what was heard: %s", error)
        except Exception as error:  # noqa: BLE001 - one turn is lost, nothing else
            self._counters.add("failed")
            _log.warning("a turn cannot be understood: %s", error, exc_info=error)
        self._workers.submit(self._hear_next)

    def _take(self) -> tuple[bytes, float]:
        """Some audio, and when the last of it came; nothing: there is none, or nobody listens."""
        pieces: list[bytes] = []
        size, came_at = 0, 0.0
        with self._lock:
            while self._queue and size < AT_A_TIME_S * self._bytes_a_second:
                data, came_at = self._queue.popleft()
                pieces.append(data)
                size += len(data)
            self._queued_bytes -= size
            self._counters.add("waiting", -len(pieces))
            self._hearing = bool(pieces)
            close = self._closed and not pieces
        if close:
            self._ear.close()
        return b"".join(pieces), came_at
