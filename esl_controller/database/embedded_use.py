"""One packaged PostgreSQL for several processes: the first one starts it, the last one stops it.

Who uses it holds a shared lock (flock(2)) beside the data, which the kernel lets go however a
process ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent

from esl_controller.database.embedded import EmbeddedDatabaseError, EmbeddedPostgres

LOCK_TIMEOUT_S = 180.0
"""How long one process may start or stop the server while another waits to."""


@contextmanager
def in_use(server: EmbeddedPostgres) -> Iterator[str]:
    """Give the DSN of the server, running. Raises EmbeddedDatabaseError.

    One that ran before, without anybody who holds the lock, is left running at the end.
    """
    beside = server.make_parent() / server.data_dir.name
    users = _open(beside.with_suffix(".users"))
    try:
        with _alone(beside.with_suffix(".lock")):
            found_running = _try(users, fcntl.LOCK_EX) and server.pid is not None
            fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
            dsn = server.start()
        try:
            yield dsn
        finally:
            with _alone(beside.with_suffix(".lock")):
                if not found_running and _try(users, fcntl.LOCK_EX):
                    server.stop()
    finally:
        os.close(users)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let nobody else start or stop the server meanwhile."""
    descriptor = _open(path)
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    try:
        while not _try(descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise EmbeddedDatabaseError(f"{path} is held by another process")
            gevent.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise EmbeddedDatabaseError(f"cannot write {path}: {error.strerror}") from error


def _try(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
