"""Bring a FusionPBX database to the schema this version needs, and back.

The files of `db/migrations` are plain SQL and may be run any number of times (FusionPBX's own
upgrade runs them all). Here a ledger remembers which were run, each runs in a transaction of its
own under an advisory lock, and an error names file and line and leaves nothing of that file behind.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from esl_controller.database import sql_script
from esl_controller.database.pool import CLIENT_ENCODING, cannot_connect

LEDGER = "voice_ai_schema_migrations"
LOCK_KEY = 0x766F6963  # 'voic': any number no other program uses as its advisory lock
LOCK_TIMEOUT = "15s"
"""How long a migration may wait for a table others use before it gives up unchanged."""
RUNNER_TIMEOUT = "120s"
"""How long a runner waits for another to finish."""

ENCODING = "UTF8"
"""Of the database: in another one part of what callers and models say cannot be kept."""

_NAME = re.compile(r"(?P<number>\d{3})_[a-z0-9_]+\.sql")
_CREATE_LEDGER = f"""
    create table if not exists {LEDGER} (
        file_name character varying(255) primary key,
        checksum character varying(64) not null,
        applied_at timestamptz not null default now(),
        duration_ms integer not null)"""
_RECORD_APPLIED = f"""
    insert into {LEDGER} (file_name, checksum, duration_ms)
    values (%s, %s, extract(epoch from clock_timestamp() - now()) * 1000)
    on conflict (file_name) do update set checksum = excluded.checksum,
        applied_at = now(), duration_ms = excluded.duration_ms"""


class MigrationError(Exception):
    """A migration could not be run; nothing of the named file was kept."""


class State(enum.Enum):
    """What the ledger says of a file."""

    APPLIED = "applied"
    PENDING = "pending"
    CHANGED = "changed"
    """It was run, but with another content: it and all after it are run again."""
    UNKNOWN = "unknown"
    """The ledger names it, this version does not have it: the database is newer."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    number: int
    name: str
    up: str
    down: str | None

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hex."""
        return hashlib.sha256(self.up.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Status:
    """One line of the status listing."""

    name: str
    state: State
    applied_at: str | None


def default_directory() -> Path:
    """Return the migrations shipped with this package."""
    return Path(__file__).parent / "migrations"


def load_migrations(directory: Path | None = None) -> list[Migration]:
    """Read the files in order; raises MigrationError for a wrong or doubled name."""
    directory = directory or default_directory()
    migrations = [_load(path) for path in sorted(directory.glob("*.sql"))]
    numbers = [migration.number for migration in migrations]
    if not migrations or len(set(numbers)) != len(numbers):
        raise MigrationError(f"{directory}: no migrations, or two with one number: {numbers}")
    return migrations


def _load(path: Path) -> Migration:
    name = _NAME.fullmatch(path.name)
    if name is None:
        raise MigrationError(f"{path.name} is not named NNN_what_it_does.sql")
    down = path.parent / "down" / path.name
    down_text = down.read_text(encoding="utf-8") if down.exists() else None
    return Migration(int(name["number"]), path.name, path.read_text(encoding="utf-8"), down_text)


class Migrator:
    """Runs migrations on one database. `progress` is told each file before it runs."""

    def __init__(
        self,
        dsn: str,
        *,
        directory: Path | None = None,
        progress: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._dsn = dsn
        self._migrations = load_migrations(directory)
        self._progress = progress

    def status(self) -> list[Status]:
        """Return every file and ledger entry with its state; changes nothing."""
        with self._connection() as connection:
            ledger = _read_ledger(connection)
        listing = [
            Status(m.name, _state(m, ledger), ledger.get(m.name, (None, None))[1])
            for m in self._migrations
        ]
        ours = {migration.name for migration in self._migrations}
        newer = sorted(ledger.keys() - ours)
        return listing + [Status(name, State.UNKNOWN, ledger[name][1]) for name in newer]

    def up(self, *, dry_run: bool = False) -> list[str]:
        """Run the first pending or changed file and all after it; return the names run.

        With `dry_run` everything is run in one transaction that is then rolled back, so that
        errors show but nothing changes.
        """
        with self._connection() as connection:
            _require_utf8(connection)
            _lock(connection)
            ledger = _read_ledger(connection)
            if not dry_run:
                _create_ledger(connection)
            due = dropwhile(lambda m: _state(m, ledger) is State.APPLIED, self._migrations)
            return [self._apply(connection, migration, dry_run) for migration in due]

    def down(self, *, to: int, dry_run: bool = False) -> list[str]:
        """Undo every applied migration with a number above `to`, newest first.

        The ledger goes with its last entry.
        """
        with self._connection() as connection:
            _lock(connection)
            ledger = _read_ledger(connection)
            chosen = [m for m in self._migrations if m.number > to and m.name in ledger]
            names = [self._revert(connection, m, dry_run) for m in reversed(chosen)]
            if not dry_run and ledger.keys() <= set(names):
                _execute(connection, f"drop table if exists {LEDGER}")
                connection.commit()
            return names

    def loses(self, *, to: int) -> dict[str, int]:
        """Rows of each table that undoing everything above `to` would remove; changes nothing."""
        with self._connection() as connection:
            _lock(connection)
            ledger = _read_ledger(connection)
            before = _count_rows(connection)
            for migration in reversed(self._migrations):
                if migration.number > to and migration.name in ledger:
                    self._revert(connection, migration, dry_run=True)
            left = _table_names(connection)
        return {name: rows for name, rows in before.items() if name not in left and rows}

    def _apply(self, connection: Connection, migration: Migration, dry_run: bool) -> str:
        self._progress(migration.name)
        _run_script(connection, migration.name, migration.up)
        if not dry_run:
            record = (migration.name, migration.checksum)
            _execute(connection, _RECORD_APPLIED, record)
            connection.commit()
        return migration.name

    def _revert(self, connection: Connection, migration: Migration, dry_run: bool) -> str:
        if migration.down is None:
            raise MigrationError(f"{migration.name} has no way back (down/{migration.name})")
        self._progress(migration.name)
        _run_script(connection, f"down/{migration.name}", migration.down)
        if not dry_run:
            _execute(connection, f"delete from {LEDGER} where file_name = %s", (migration.name,))
            connection.commit()
        return migration.name

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            connection = psycopg2.connect(
                self._dsn,
                application_name="voice-ai-migrate",
                client_encoding=CLIENT_ENCODING,
            )
        except (psycopg2.OperationalError, psycopg2.ProgrammingError) as error:
            raise MigrationError(cannot_connect(error)) from None
        try:
            yield connection
        except psycopg2.Error as error:  # of what is no file: the ledger, counting, a commit
            raise MigrationError(str(error).strip()) from error
        finally:
            connection.close()  # what was not committed is rolled back


def _state(migration: Migration, ledger: dict[str, tuple[str, str]]) -> State:
    if migration.name not in ledger:
        return State.PENDING
    same = ledger[migration.name][0] == migration.checksum
    return State.APPLIED if same else State.CHANGED


def _require_utf8(connection: Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select current_database(), current_setting('server_encoding')")
        ((name, encoding),) = cursor.fetchall()
    if encoding != ENCODING:
        raise MigrationError(
            f"the database {name} has encoding {encoding} instead of {ENCODING}: copy it with "
            "`pg_dump` into one made with `createdb --template=template0 --encoding=UTF8` and "
            "give that one its name (docs/operations.md)"
        )


def _lock(connection: Connection) -> None:
    """Let one runner work at a time; the lock goes with the connection."""
    try:
        _execute(connection, f"set lock_timeout = '{RUNNER_TIMEOUT}'")
        _execute(connection, f"select pg_advisory_lock({LOCK_KEY})")
        _execute(connection, f"set lock_timeout = '{LOCK_TIMEOUT}'")
        _execute(connection, "set statement_timeout = 0")
        connection.commit()
    except psycopg2.Error as error:
        raise MigrationError(f"another migration is running: {str(error).strip()}") from error


def _create_ledger(connection: Connection) -> None:
    try:
        _execute(connection, _CREATE_LEDGER)
        connection.commit()
    except psycopg2.Error as error:
        raise MigrationError(f"cannot make the ledger: {str(error).strip()}") from error


def _run_script(connection: Connection, name: str, script: str) -> None:
    try:
        statements = sql_script.split(script)
    except sql_script.SqlScriptError as error:
        raise MigrationError(f"{name}: {error}") from error
    for statement in statements:
        try:
            _execute(connection, statement.text)
        except psycopg2.Error as error:
            connection.rollback()
            raise MigrationError(_explain(name, statement, error)) from error


def _explain(name: str, statement: sql_script.Statement, error: psycopg2.Error) -> str:
    line = statement.line
    if error.diag.statement_position:
        # Counted in characters from 1 (libpq, PG_DIAG_STATEMENT_POSITION).
        line += statement.text.count("\n", 0, int(error.diag.statement_position) - 1)
    parts = [f"{name}, line {line}: {error.diag.message_primary or str(error).strip()}"]
    if error.diag.message_detail:
        parts.append(f"detail: {error.diag.message_detail}")
    if error.diag.message_hint:
        parts.append(f"hint: {error.diag.message_hint}")
    return "\n".join([*parts, "rolled back: nothing of this file was kept"])


def _read_ledger(connection: Connection) -> dict[str, tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", (LEDGER,))
        row = cursor.fetchone()
        if row is None or not row[0]:
            return {}
        cursor.execute(f"select file_name, checksum, applied_at::text from {LEDGER}")
        return {name: (checksum, applied_at) for name, checksum, applied_at in cursor}


def _table_names(connection: Connection) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """select relname from pg_class where relkind = 'r' and relname like 'v\\_voice\\_%'
               and pg_table_is_visible(oid) order by relname"""
        )
        return [name for (name,) in cursor]


def _count_rows(connection: Connection) -> dict[str, int]:
    counts = {}
    for name in _table_names(connection):
        with connection.cursor() as cursor:
            cursor.execute(f'select count(*) from "{name}"')
            ((counts[name],),) = cursor.fetchall()
    return counts


def _execute(
    connection: Connection, sql: str, parameters: tuple[object, ...] | None = None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
