"""What the speech process has done, as one line of its log and for the metrics of its workers."""

from __future__ import annotations

import os
import resource
import threading
from collections import deque

from bridge.speech.messages import Status

MAX_DELAYS = 256
"""Kept for a program that does not ask."""


class Counters:
    """Of one program's clients; counted from all threads."""

    def __init__(self) -> None:
        self.clients = 0
        self.waiting = 0
        self.sentences = self.cancelled = self.failed = self.refused = 0
        self.turns = self.dropped_audio_ms = 0
        self.busy_s = self.longest_s = 0.0
        self._first_sound_s: deque[float] = deque(maxlen=MAX_DELAYS)
        self._recognition_s: deque[float] = deque(maxlen=MAX_DELAYS)
        self._lock = threading.Lock()

    def add(self, name: str, change: int = 1) -> None:
        """Count one of the attributes."""
        with self._lock:
            setattr(self, name, getattr(self, name) + change)

    def sentence(self, took_s: float) -> None:
        """One was worked on."""
        with self._lock:
            self.sentences += 1
            self.busy_s += took_s
            self.longest_s = max(self.longest_s, took_s)

    def first_sound(self, delay_s: float) -> None:
        """A sentence has begun to sound."""
        self._first_sound_s.append(delay_s)

    def recognised(self, delay_s: float) -> None:
        """A turn's words are known."""
        self._recognition_s.append(delay_s)
        self.add("turns")

    def take_delays(self) -> tuple[list[float], list[float]]:
        """First sounds and recognitions since the last time."""
        return _take(self._first_sound_s), _take(self._recognition_s)


class Ledger:
    """The counters of every program that has a client here, by its process id."""

    def __init__(self) -> None:
        self._of: dict[int, Counters] = {}
        self._lock = threading.Lock()
        self._told = ""

    def enter(self, pid: int) -> Counters:
        """A client of a program has come."""
        with self._lock:
            counters = self._of.setdefault(pid, Counters())
            counters.clients += 1
            return counters

    def leave(self, pid: int) -> None:
        """It has left; a program without clients is forgotten."""
        with self._lock:
            self._of[pid].clients -= 1
            if not self._of[pid].clients:
                del self._of[pid]

    def status(self, counters: Counters) -> Status:
        """For the program these counters are of."""
        with self._lock:
            everybody = list(self._of.values())
        first_sound_s, recognition_s = counters.take_delays()
        return Status(
            pid=os.getpid(),
            cpu_s=_cpu_s(),
            clients=sum(one.clients for one in everybody),
            programs=len(everybody),
            waiting=sum(one.waiting for one in everybody),
            sentences=counters.sentences,
            cancelled=counters.cancelled,
            failed=counters.failed,
            refused=counters.refused,
            turns=counters.turns,
            dropped_audio_ms=counters.dropped_audio_ms,
            first_sound_s=first_sound_s,
            recognition_s=recognition_s,
        )

    @property
    def clients(self) -> int:
        """Of all programs."""
        with self._lock:
            return sum(one.clients for one in self._of.values())

    def line(self) -> str | None:
        """What its programs have had; None when nothing has changed."""
        with self._lock:
            everybody = list(self._of.values())
        names = ("clients", "sentences", "turns", "cancelled", "failed", "refused")
        sums = {name: sum(getattr(one, name) for one in everybody) for name in names}
        busy_s = sum(one.busy_s for one in everybody)
        longest_s = max((one.longest_s for one in everybody), default=0.0)
        told = " ".join(f"{name}={value}" for name, value in sums.items())
        told += f" busy_s={busy_s:.2f} longest_s={longest_s:.2f}"
        if told == self._told:
            return None
        self._told = told
        return f"{told} cpu_s={_cpu_s():.2f}"


def _cpu_s() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def _take(delays: deque[float]) -> list[float]:
    taken: list[float] = []
    while delays:
        taken.append(delays.popleft())
    return taken
