"""Files a worker's journal waits in until the database has it.

A worker has a directory of its own under the spool directory, held by a lock (flock(2)) that the
kernel lets go when the process dies, however it dies. A file beside the lock holds the worker's
full name: the next worker may run under another host name. Entries are appended to one open
segment; closed segments are read, stored and deleted in the order of their names. A worker that
starts takes over the segments of directories nobody holds. Nothing here is shared between threads
or waits on the hub: the journal calls it from one thread of its own.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path

MAX_SEGMENT_BYTES = 4 * 1024 * 1024
REJECTED_DAYS = 30
"""Lines set aside are kept this long: no tenant's retention finds what was said in them."""
_ENDING = ".segment"
_SEGMENT = f"*{_ENDING}"
_NAME = "worker"


class SpoolUnusable(Exception):
    """The spool directory cannot be used; the text says which and why."""


class Spool:
    """The directory of one worker."""

    def __init__(self, spool_dir: Path) -> None:
        """Raises SpoolUnusable."""
        self._root = spool_dir
        name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self.worker = f"{socket.gethostname()}:{name}"
        """The worker's name, which no other worker ever has, on any host."""
        try:
            spool_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked_directory(spool_dir / f".{name}")
            _write_private(spool_dir / f".{name}" / _NAME, self.worker.encode())
            self._own = (spool_dir / f".{name}").rename(spool_dir / name)
        except OSError as error:
            raise SpoolUnusable(f"spool directory {spool_dir}: {error.strerror}") from error
        self._open: int | None = None
        self._open_path = self._own
        self._newest_ns = 0
        self.waiting_bytes = 0
        """Size of all segments, the open one too."""

    def free_bytes(self) -> int:
        """What the disk still takes from users other than root; raises OSError."""
        disk = os.statvfs(self._own)
        return disk.f_bavail * disk.f_frsize

    def append(self, lines: bytes) -> None:
        """Write whole lines and wait until the disk has them; raises OSError."""
        segment = self._open if self._open is not None else self._begin_segment()
        before = os.fstat(segment).st_size
        try:
            _write_all(segment, lines)
            os.fdatasync(segment)
        except OSError:
            self.waiting_bytes += os.fstat(segment).st_size - before
            self.close_segment()  # what follows must not be glued to half a line
            raise
        self.waiting_bytes += len(lines)
        if before + len(lines) >= MAX_SEGMENT_BYTES:
            self.close_segment()

    def close_segment(self) -> None:
        """End the open segment, so that it can be read and deleted."""
        if self._open is not None:
            os.close(self._open)
            self._open = None

    def oldest_segment(self) -> Path | None:
        """Return the segment to store next, None when all are stored; closes the open one."""
        oldest = min(filter(_is_segment, os.listdir(self._own)), default=None)
        if oldest is None:
            return None
        if oldest == self._open_path.name:
            self.close_segment()
        return self._own / oldest

    def following(self, stored: Path | None) -> tuple[Path, bytes | OSError] | None:
        """Delete the segment that was `stored`; return the next one and its lines, or why it cannot
        be read. None when all are stored. Raises OSError."""
        if stored is not None:
            self.delete(stored)
        segment = self.oldest_segment()
        if segment is None:
            return None
        try:
            return segment, self.read(segment)
        except OSError as error:
            return segment, error

    def read(self, segment: Path) -> bytes:
        """Return a segment's lines; what follows the last line feed is a torn write."""
        return segment.read_bytes()

    def delete(self, segment: Path) -> None:
        """Forget a segment the database has."""
        size = os.stat(segment).st_size
        os.unlink(segment)
        self.waiting_bytes -= size

    def set_aside(self, segment: Path) -> None:
        """Put a segment that cannot be read under `rejected`, for a person."""
        size = segment.stat().st_size
        segment.rename(self._rejected() / segment.name)
        self.waiting_bytes -= size

    def reject(self, line: bytes, reason: str) -> None:
        """Set a line aside that the database will never take, with the reason, for a person."""
        directory = self._rejected()
        name = f"{time.strftime('%Y%m%d', time.gmtime())}-{os.getpid()}.txt"
        descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            note = reason.replace("\n", " ").encode(errors="replace")
            _write_all(descriptor, b"# " + note + b"\n" + line + b"\n")
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def _rejected(self) -> Path:
        directory = self._root / "rejected"
        directory.mkdir(mode=0o700, exist_ok=True)
        return directory

    def forget_rejected(self) -> None:
        """Remove what was set aside more than REJECTED_DAYS ago."""
        too_old = time.time() - REJECTED_DAYS * 86400
        for path in (self._root / "rejected").glob("*"):
            if path.stat().st_mtime < too_old:
                path.unlink()

    def adopt(self, obituary: Callable[[str], bytes]) -> int:
        """Take over the segments of workers that are gone; return how many. Raises OSError.

        Each worker's `obituary` (lines, for the worker's full name) is written after them. What
        an error leaves half done is done the next time.
        """
        segments: list[Path] = []
        for directory in sorted(self._root.iterdir()):
            hidden = directory.name.startswith(".")
            if hidden or directory == self._own or not (directory / "lock").exists():
                continue
            lock = _try_lock(directory)
            if lock is not None:
                try:
                    segments += self._take_over(directory, obituary)
                finally:
                    os.close(lock)
        return len(segments)

    def close(self) -> None:
        """Let go; an empty directory is removed, a full one waits for the next worker."""
        self.close_segment()
        if not any(self._own.glob(_SEGMENT)):
            _remove(self._own)
        os.close(self._lock)

    def _begin_segment(self) -> int:
        # Names sort by age, across workers too: one worker takes over from another. They do so also
        # when the clock is set back: a turn must not be stored before its conversation.
        self._newest_ns = max(time.time_ns(), self._newest_ns + 1)
        self._open_path = self._own / f"{self._newest_ns:020d}-{uuid.uuid4().hex[:8]}.segment"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._open = os.open(self._open_path, flags, 0o600)
        _sync_directory(self._own)
        return self._open

    def _take_over(self, directory: Path, obituary: Callable[[str], bytes]) -> list[Path]:
        segments = [s.rename(self._own / s.name) for s in sorted(directory.glob(_SEGMENT))]
        self._newest_ns = max([self._newest_ns, *map(_age_of, segments)])
        self.waiting_bytes += sum(segment.stat().st_size for segment in segments)
        _sync_directory(self._own)
        self.close_segment()  # the next one's name sorts after those taken over
        self.append(obituary(_worker_of(directory)))
        _remove(directory)
        return segments


def _is_segment(name: str) -> bool:
    return name.endswith(_ENDING)


def _worker_of(directory: Path) -> str:
    """The full name of the worker a directory was made by; versions before 2 wrote no name."""
    try:
        return (directory / _NAME).read_text()
    except FileNotFoundError:
        return f"{socket.gethostname()}:{directory.name}"


def _age_of(segment: Path) -> int:
    age, _, _ = segment.name.partition("-")
    return int(age) if age.isdecimal() else 0


def _locked_directory(directory: Path) -> int:
    """Make a directory nobody looks into yet, and hold its lock before anybody can."""
    directory.mkdir(mode=0o700)
    lock = _try_lock(directory)
    assert lock is not None  # its name is new
    return lock


def _try_lock(directory: Path) -> int | None:
    """Return a descriptor that holds the directory's lock, None when somebody else holds it."""
    try:
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None  # taken over and removed this moment
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    if not (directory / "lock").exists():
        os.close(descriptor)
        return None
    return descriptor


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        _write_all(descriptor, content)
    finally:
        os.close(descriptor)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(directory: Path) -> None:
    (directory / _NAME).unlink(missing_ok=True)
    (directory / "lock").unlink(missing_ok=True)
    directory.rmdir()
