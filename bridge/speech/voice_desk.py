"""The sentences one client asked for: spoken one at a time, dropped when nobody waits any more."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

from bridge.errors import RemoteProtocolError
from bridge.speech.counters import Counters
from bridge.speech.frames import MAX_PAYLOAD_BYTES
from bridge.speech.messages import MAX_WAITING, Cancel, Reply, Say, Told
from bridge.speech.service import SpeechFailed, Voice

_log = logging.getLogger("bridge.speech")

WAIT_S = 4.0
"""A sentence nobody could begin with for so long is too late: its caller has heard an excuse."""
MAX_AUDIO_BYTES = MAX_PAYLOAD_BYTES // 2


class VoiceDesk:
    """Takes requests in the reading thread; speaks in the process's workers."""

    def __init__(
        self,
        voice: Voice,
        workers: Executor,
        counters: Counters,
        tell: Callable[[Reply], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell` raises OSError when the client has left."""
        self._voice = voice
        self._workers = workers
        self._counters = counters
        self._tell = tell
        self._clock = clock
        self._waiting: deque[tuple[int, Say, float]] = deque()
        self._lock = threading.Lock()
        self._speaking = False
        self._generation = 0
        """Grows with each cancel: what is of an earlier one is not wanted."""

    def ask(self, request: Say | Cancel) -> None:
        """Take a request. Raises `RemoteProtocolError` for one too many."""
        if isinstance(request, Cancel):
            self.cancel()
            return
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                raise RemoteProtocolError(f"more than {MAX_WAITING} sentences waiting")
            self._waiting.append((self._generation, request, self._clock()))
            self._counters.add("waiting")
            if self._speaking:
                return
            self._speaking = True
        self._workers.submit(self._speak_next)

    def cancel(self) -> None:
        """Nothing asked for is wanted any more."""
        with self._lock:
            self._counters.add("cancelled", len(self._waiting) + self._speaking)
            self._counters.add("waiting", -len(self._waiting))
            self._generation += 1
            self._waiting.clear()

    def _speak_next(self) -> None:
        """One sentence; then everybody else has a turn."""
        with self._lock:
            if not self._waiting:
                self._speaking = False
                return
            generation, request, asked_at = self._waiting.popleft()
            self._counters.add("waiting", -1)
        try:
            self._speak(generation, request, asked_at)
        except OSError as error:
            _log.info("nobody hears a sentence: %s", error)
            self.cancel()
        self._workers.submit(self._speak_next)

    def _speak(self, generation: int, request: Say, asked_at: float) -> None:
        began = self._clock()
        try:
            if began - asked_at > WAIT_S:
                raise SpeechFailed(f"it waited for {began - asked_at:.1f} s")
            whole = self._sound(generation, request, asked_at)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001 - one sentence is lost, nothing else
            self._failed(request, error)
            return
        self._counters.sentence(self._clock() - began)
        if whole:
            self._tell(Reply(Told.DONE, request.number))

    def _sound(self, generation: int, request: Say, asked_at: float) -> bool:
        """False: it was cancelled."""

        def cancelled() -> bool:
            return self._generation != generation

        first = True
        for data in self._voice.speak(request.text, cancelled):
            if cancelled():
                return False
            if first:
                self._counters.first_sound(self._clock() - asked_at)
            first = False
            for at in range(0, len(data), MAX_AUDIO_BYTES):
                part = data[at : at + MAX_AUDIO_BYTES]
                self._tell(Reply(Told.AUDIO, request.number, part))
        return not cancelled()

    def _failed(self, request: Say, error: Exception) -> None:
        self._counters.add("failed")
        text = str(error) if isinstance(error, SpeechFailed) else type(error).__name__
        _log.warning("a sentence cannot be spoken: %s", text, exc_info=error)
        self._tell(Reply(Told.FAILED, request.number, text.encode()[:200]))
