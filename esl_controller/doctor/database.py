"""PostgreSQL: reachable, FusionPBX's, migrated, and of the same time as we are."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

from esl_controller.database.embedded import (
    EmbeddedDatabaseError,
    EmbeddedPostgres,
    packaged_bin_dir,
)
from esl_controller.database.migrate import MigrationError, Migrator
from esl_controller.database.migrate import State as Ledger
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import workers
from esl_controller.database.repository.statements import Row, fetch_all
from esl_controller.doctor.finding import Finding, failed, note, ok, warning
from esl_controller.settings.table import Settings

MAX_CLOCK_DIFFERENCE_S = 5.0
_FACTS = """select current_setting('server_version') as version,
    to_regclass('v_domains') is not null as fusionpbx,
    to_regclass('v_voice_workers_realtime') is not null as register,
    extract(epoch from now()) as now_s"""


def look(settings: Settings) -> Iterator[Finding]:
    """All findings about the database."""
    if settings.database.dsn:
        yield from _look(settings, settings.database.dsn.reveal())
        return
    server = EmbeddedPostgres(Path(settings.storage.database_dir))
    yield _packaged(server)
    if server.pid is not None:
        yield from _look(settings, server.dsn())


def workers_here(settings: Settings) -> list[Row]:
    """Workers of this host that are alive by the register; none where it cannot be read."""
    dsn = settings.database.dsn.reveal()
    server = EmbeddedPostgres(Path(settings.storage.database_dir))
    if not dsn and server.pid is None:
        return []
    pool = _pool(settings, dsn or server.dsn())
    try:
        with pool.connection() as connection:
            (facts,) = fetch_all(connection, _FACTS, ())
            registered = workers.list_workers(connection) if facts["register"] else []
    except DatabaseError:  # `look` says so
        return []
    finally:
        pool.close()
    return _alive_here(registered)


def _alive_here(registered: list[Row]) -> list[Row]:
    return [row for row in registered if row["alive"] and row["host"] == socket.gethostname()]


def _packaged(server: EmbeddedPostgres) -> Finding:
    """The packaged server is used when it is asked for, never because a setting is missing."""
    advice = "for FusionPBX set VOICE_AI_DATABASE_DSN to its database"
    if server.pid is not None:
        detail = f"no database is set; the packaged PostgreSQL runs in {server.data_dir}"
        return note("database setting", f"{detail}, for commands with --embedded-db", advice)
    detail = "no database is set: only `demo` and commands with --embedded-db work"
    try:
        packaged_bin_dir()
    except EmbeddedDatabaseError as error:
        return failed("database setting", f"{detail}, and they need it: {error}", advice)
    return failed("database setting", detail, advice)


def _pool(settings: Settings, dsn: str) -> Pool:
    at = settings.database
    return Pool(
        dsn,
        size=1,
        connect_timeout_s=at.connect_timeout_s,
        statement_timeout_s=at.statement_timeout_s,
        application_name="voice-ai-doctor",
    )


def _look(settings: Settings, dsn: str) -> Iterator[Finding]:
    pool = _pool(settings, dsn)
    try:
        with pool.connection() as connection:
            (facts,) = fetch_all(connection, _FACTS, ())
            registered = workers.list_workers(connection) if facts["register"] else []
    except DatabaseError as error:
        yield failed("database", str(error), "check VOICE_AI_DATABASE_DSN and pg_hba.conf")
        return
    finally:
        pool.close()
    yield ok("database", f"PostgreSQL {facts['version']}")
    yield _tables(facts["fusionpbx"])
    yield _clock(float(facts["now_s"]) - time.time())
    yield _migrations(dsn)
    yield _workers(settings, registered)


def _tables(fusionpbx: bool) -> Finding:
    if fusionpbx:
        return ok("FusionPBX tables", "v_domains is there")
    return failed(
        "FusionPBX tables", "v_domains is missing", "point the DSN at FusionPBX's database"
    )


def _clock(difference_s: float) -> Finding:
    detail = f"{abs(difference_s):.1f} s from the database's"
    if abs(difference_s) > MAX_CLOCK_DIFFERENCE_S:
        return warning("clock", detail, "run NTP on both hosts")
    return ok("clock", detail)


def _workers(settings: Settings, registered: list[Row]) -> Finding:
    """Who is there, on all hosts; those of this one must be as many as the settings say."""
    check = "running workers"
    alive = [row for row in registered if row["alive"]]
    here = _alive_here(registered)
    detail = f"{len(here)} here, {len(alive)} on {len({row['host'] for row in alive})} hosts"
    if here and len(here) != settings.worker.count:
        advice = "make [worker] count of voice-ai.toml as many as the supervisor starts"
        return warning(check, f"{detail}; VOICE_AI_WORKER_COUNT is {settings.worker.count}", advice)
    if len({row["version"] for row in alive}) > 1:
        return note(check, f"{detail}, of several versions", "finish the upgrade")
    if elsewhere := [row for row in alive if _is_loopback(row) and row not in here]:
        advice = "set VOICE_AI_MEDIA_PUBLIC_HOST there, to end from here a call they have"
        hosts = ", ".join(sorted({row["host"] for row in elsewhere}))
        return note(check, f"{detail}; those of {hosts} listen on loopback", advice)
    return ok(check, detail)


def _is_loopback(row: Row) -> bool:
    return bool(row["http_url"].startswith(("http://127.", "http://[::1]", "http://localhost")))


def _migrations(dsn: str) -> Finding:
    check, advice = "migrations", "run `esl-controller migrate`"
    try:
        rows = Migrator(dsn).status()
    except MigrationError as error:
        return failed(check, str(error), advice)
    due = [row.name for row in rows if row.state in {Ledger.PENDING, Ledger.CHANGED}]
    if due:
        return failed(check, f"{len(due)} to run, first {due[0]}", advice)
    if any(row.state is Ledger.UNKNOWN for row in rows):
        return warning(check, "the database is newer than this version", "update this program")
    return ok(check, f"all {len(rows)} have run")
