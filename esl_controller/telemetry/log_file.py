"""A log file that others may move away: what is written next goes to a new one of its name.

logrotate renames it and tells nobody. Nothing is copied and cut: no line is lost in between.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

LOOK_S = 1.0
"""So long lines still go to the file that was moved away: logrotate compresses it a turn later."""
MODE = 0o640


class LogFile:
    """Stands behind a file descriptor, by default standard error: tracebacks go there too."""

    def __init__(self, path: Path, fd: int = 2) -> None:
        """Raises OSError when it cannot be opened."""
        self._path, self._fd = path, fd
        self._looked_at = 0.0
        self._inode = self._open()

    def look(self) -> None:
        """Before a line is written: is the name still this file's? One that cannot be opened anew
        is not left."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        try:
            if self._of_name() != self._inode:
                self._inode = self._open()
        except OSError:
            return

    def _of_name(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _open(self) -> tuple[int, int]:
        opened = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
        try:
            os.dup2(opened, self._fd)
            found = os.fstat(opened)
        finally:
            os.close(opened)
        return found.st_dev, found.st_ino
