"""Kills workers that hang, so that their supervisor starts them again.

FreeSWITCH waits without limit for a worker that accepts its connection and says nothing
(mod_event_socket.c, socket_function), and so do the callers. systemd does this by itself
(WatchdogSec); supervisord does not.
"""

from __future__ import annotations

import os
import signal
import socket
import stat
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from esl_controller.workers.heartbeat import ALIVE, STOPPING

LOOK_S = 1.0
OWN_GAP_S = 4.0
"""Not having looked for this long the watchdog was stopped itself, as on a machine that slept: then
nobody's silence means anything yet."""
_CREDENTIALS = struct.Struct("3i")
_MAX_DATAGRAM = 4096

_log = structlog.get_logger("watchdog")


@dataclass(slots=True)
class _Watched:
    started: str
    """Of the process, in clock ticks since boot: its number may be another's one day."""
    heard_at: float


class Watchdog:
    """Who beats, and since when nobody heard of them. `now` is monotonic seconds."""

    def __init__(
        self, hang_s: float, *, kill: Callable[[int, signal.Signals], object] = os.kill
    ) -> None:
        self._hang_s = hang_s
        self._kill = kill
        self._watched: dict[int, _Watched] = {}
        self._looked_at: float | None = None

    def heard(self, pid: int, text: str, now: float) -> None:
        """Note a datagram of process `pid`."""
        lines = text.split("\n")
        if STOPPING in lines:
            self._watched.pop(pid, None)
        elif ALIVE in lines and (started := _started(pid)):
            self._watched[pid] = _Watched(started, now)

    def look(self, now: float) -> list[int]:
        """Kill those that hang; return which."""
        if self._looked_at is not None and now - self._looked_at > OWN_GAP_S:
            for watched in self._watched.values():
                watched.heard_at = now
        self._looked_at = now
        self._watched = {
            pid: watched
            for pid, watched in self._watched.items()
            if _started(pid) == watched.started
        }
        hung = [pid for pid, w in self._watched.items() if now - w.heard_at > self._hang_s]
        for pid in hung:
            silent_s = now - self._watched.pop(pid).heard_at
            _log.error("worker_hangs", pid=pid, silent_s=round(silent_s, 1))
            try:
                self._kill(pid, signal.SIGKILL)
            except OSError as error:
                _log.error("worker_not_killed", pid=pid, error=str(error))
        return hung


def listen(path: Path) -> socket.socket:
    """The socket workers beat on; only this user's and root's processes may. Raises OSError."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()  # of a watchdog that was killed
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        before = os.umask(0o177)
        try:
            sock.bind(str(path))
        finally:
            os.umask(before)
        sock.settimeout(LOOK_S)
    except OSError:
        sock.close()
        raise
    return sock


def watch(sock: socket.socket, watchdog: Watchdog) -> None:
    """Hear and look, for ever."""
    while True:
        try:
            _hear(sock, watchdog)
        except TimeoutError:
            watchdog.look(time.monotonic())


def _hear(sock: socket.socket, watchdog: Watchdog) -> None:
    """Everything that waits, then a look at most once a second."""
    until = time.monotonic() + LOOK_S
    while time.monotonic() < until:
        data, ancillary, _, _ = sock.recvmsg(_MAX_DATAGRAM, socket.CMSG_SPACE(_CREDENTIALS.size))
        pid = _sender(ancillary)
        if pid is not None:
            watchdog.heard(pid, data.decode(errors="replace"), time.monotonic())
    watchdog.look(time.monotonic())


def _sender(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    """Who sent it, as the kernel says (unix(7), SCM_CREDENTIALS); nobody can beat for another."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            pid: int = _CREDENTIALS.unpack(data[: _CREDENTIALS.size])[0]
            return pid
    return None


def _started(pid: int) -> str:
    """When a process began (proc(5), field 22 of stat); empty when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
