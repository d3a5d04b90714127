"""What the speech process has done, as one line of its log."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator


class Counters:
    """Counted from all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = dict.fromkeys(
            ("clients", "sentences", "cancelled", "failed", "refused", "audio_bytes"), 0
        )
        self._busy_s = self._longest_s = 0.0
        self._told: dict[str, int] = {}

    def client(self, change: int) -> None:
        """One came (1) or left (-1)."""
        self._add("clients", change)

    def cancelled(self, sentences: int) -> None:
        """Sentences nobody wants any more."""
        self._add("cancelled", sentences)

    def failed(self) -> None:
        """A sentence that could not be spoken."""
        self._add("failed", 1)

    def refused(self) -> None:
        """A client that got no service."""
        self._add("refused", 1)

    def audio(self, count: int) -> None:
        """Bytes of audio made."""
        self._add("audio_bytes", count)

    @contextlib.contextmanager
    def sentence(self) -> Iterator[None]:
        """Around the work on one."""
        began = time.monotonic()
        try:
            yield
        finally:
            took_s = time.monotonic() - began
            with self._lock:
                self._count["sentences"] += 1
                self._busy_s += took_s
                self._longest_s = max(self._longest_s, took_s)

    def line(self) -> str | None:
        """Everything so far; None when nothing has changed."""
        with self._lock:
            if self._count == self._told:
                return None
            self._told = dict(self._count)
            words = [f"{name}={value}" for name, value in self._count.items()]
            return " ".join(
                [*words, f"busy_s={self._busy_s:.2f}", f"longest_s={self._longest_s:.2f}"]
            )

    def _add(self, name: str, change: int) -> None:
        with self._lock:
            self._count[name] += change
