"""What the machine did while something was measured, and whether that spoils the figures."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gevent
import psutil

from bench.figures import percentile

WATCH_S = 0.002
STARVED_MS = 20.0
"""An idle process woken later than this, or a frame that took longer, at p99. A worker that gets
its frames in heaps looks cheaper than it is, and one that waits for a core dearer."""
FOREMOST = -15


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """The machine, while something was measured; percent of one core."""

    late_ms_p99: float | None
    """How late an idle process of the same machine was woken: what no worker can be better than."""
    late_ms_max: float
    load: float
    """Average of the minute, as `uptime` tells."""
    steal_percent: float
    """Taken away by the host of a virtual machine."""
    others_percent: float
    """Used by processes that are not the measurement's; the database's is in it."""


class MachineWatch:
    """Watches from its making to `stop`."""

    def __init__(self) -> None:
        self._late_ms: list[float] = []
        self._began = time.monotonic(), _busy_s(), _own_s(), psutil.cpu_times()
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> Meanwhile:
        """End it, and tell."""
        self._greenlet.kill()
        began, busy_s, own_s, times = self._began
        seconds = time.monotonic() - began
        others_s = _busy_s() - busy_s - (_own_s() - own_s)
        return Meanwhile(
            percentile(self._late_ms, 99),
            max(self._late_ms),
            os.getloadavg()[0],
            100 * (psutil.cpu_times().steal - times.steal) / seconds,
            max(0.0, 100 * others_s / seconds),
        )

    def _run(self) -> None:
        while True:
            due = time.monotonic() + WATCH_S
            gevent.sleep(WATCH_S)
            self._late_ms.append((time.monotonic() - due) * 1000)


def _busy_s() -> float:
    """CPU of the whole machine."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system + times.irq + times.softirq)


def _own_s() -> float:
    """CPU of this process and of those it has started."""
    own = psutil.Process()
    used = 0.0
    for process in (own, *own.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system
    return used


def starved(
    meanwhile: Meanwhile, late_arrivals: int, uplink_p99: float | None, first_p99: float | None
) -> str:
    """Why a CPU figure would mean nothing; empty where it means something."""
    if meanwhile.late_ms_p99 is None or meanwhile.late_ms_p99 > STARVED_MS:
        return "an idle process was woken too late"
    if late_arrivals:
        return f"{late_arrivals} frames came late"
    slow = [
        name for name, ms in _named(uplink_p99, first_p99) if ms is not None and ms > STARVED_MS
    ]
    return f"{slow[0]} p99 over {STARVED_MS:.0f} ms" if slow else ""


def _named(uplink: float | None, first: float | None) -> Sequence[tuple[str, float | None]]:
    return ("uplink", uplink), ("first audio", first)


def come_first() -> None:
    """Take this process and those it starts before everybody else's work, where we may (root).

    Linux shares a core out among sessions before it looks at `nice` (sched_autogroup(7)), so this
    needs a session of its own.
    """
    with contextlib.suppress(OSError):
        os.setsid()
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(FOREMOST))
        os.setpriority(os.PRIO_PROCESS, 0, FOREMOST)
