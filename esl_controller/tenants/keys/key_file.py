"""The key file of a running worker: read again when `keys rotate` has changed it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import gevent
import structlog
from gevent.lock import BoundedSemaphore

from esl_controller.tenants.keys.secrets import SecretError, SecretKeys

REREAD_S = 1.0
"""The file is read no more often than this."""

_log = structlog.get_logger("keys")
_State = tuple[int, ...]
_T = TypeVar("_T")


class KeyFile:
    """The keys of one file. Whoever asks waits; the hub does not, a thread reads."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = gevent.sleep,
    ) -> None:
        """Read the file, made with a new key when there is none; raises SecretError."""
        SecretKeys.load_or_create(path)
        self._path = path
        self._clock = clock
        self._sleep = sleep
        self._asking = BoundedSemaphore()
        self._state = _state(path)  # looked at before it is read: a later change is seen again
        self.keys = SecretKeys.load(path)
        """As last read. What was once read is kept while the file cannot be read."""
        self._problem: SecretError | None = None
        self._read_at = clock() - REREAD_S

    def latest(self) -> SecretKeys:
        """Return the keys in the file now, the same object while it is unchanged.

        Raises SecretError while it cannot be read.
        """
        with self._asking:
            state = _in_thread(_state, self._path)
            if state != self._state:
                self._sleep(max(0.0, self._read_at + REREAD_S - self._clock()))
                self._read()
        if self._problem is not None:
            raise SecretError(str(self._problem)) from self._problem
        return self.keys

    def _read(self) -> None:
        self._read_at = self._clock()
        self._state, read = _in_thread(_read, self._path)
        if isinstance(read, SecretError):
            self._problem = read
            _log.error("key_file_not_read", error=str(read))
        else:
            self._problem = None
            self.keys = read
            _log.info("key_file_read", key_id=read.key_id)


def _read(path: Path) -> tuple[_State, SecretKeys | SecretError]:
    state = _state(path)
    try:
        return state, SecretKeys.load(path)
    except SecretError as error:
        return state, error


def _state(path: Path) -> _State:
    """What differs when the file was replaced, written to, or let be read; empty without one."""
    try:
        now = path.stat()
    except OSError:
        return ()
    return now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns


def _in_thread(function: Callable[[Path], _T], path: Path) -> _T:
    result: _T = gevent.get_hub().threadpool.apply(function, (path,))
    return result
