"""What test runs that were killed left behind: a PostgreSQL that still runs, and its directory.

A run holds a lock (flock(2)) on its directory, which the kernel lets go however the run ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from esl_controller.database.embedded import EmbeddedDatabaseError, EmbeddedPostgres

PREFIX = "voice-ai-test-"
YOUNG_S = 60.0
"""Its run may be about to lock it."""


@contextmanager
def own_directory(parent: Path) -> Iterator[Path]:
    """A new directory of this run below `parent`; those that nobody holds are cleared away."""
    clear(parent)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    held = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_SH)
        yield directory
    finally:
        os.close(held)
        shutil.rmtree(directory, ignore_errors=True)


def clear(parent: Path) -> None:
    """End the servers of runs that are gone, and remove their directories."""
    for directory in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # somebody else's, or gone by now
            if time.time() - directory.stat().st_mtime > YOUNG_S and _nobody_holds(directory):
                with suppress(EmbeddedDatabaseError):
                    EmbeddedPostgres(directory / "data").stop()
                shutil.rmtree(directory, ignore_errors=True)


def _nobody_holds(directory: Path) -> bool:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
