"""PostgreSQL: reachable, FusionPBX's, migrated, and of the same time as we are."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from esl_controller.database.embedded import (
    EmbeddedDatabaseError,
    EmbeddedPostgres,
    packaged_bin_dir,
)
from esl_controller.database.migrate import ENCODING, MigrationError, Migrator
from esl_controller.database.migrate import State as Ledger
from esl_controller.database.pool import DatabaseError, GreenConnection, Pool
from esl_controller.database.repository import inspection, providers, tenants, workers
from esl_controller.database.repository.statements import Row, fetch_all
from esl_controller.doctor import database_way, dialplans
from esl_controller.doctor.finding import Finding, failed, note, ok, warning
from esl_controller.settings.table import Settings
from esl_controller.tenants.config import config_source
from esl_controller.tenants.keys.secrets import SecretError, SecretStore

T = TypeVar("T")
MAX_CLOCK_DIFFERENCE_S = 5.0
_FACTS = """select current_setting('server_version') as version,
    current_setting('server_encoding') as encoding,
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


def asked(settings: Settings, question: Callable[[GreenConnection], T]) -> T | None:
    """The database's answer; None where there is none, which `look` tells of."""
    dsn = settings.database.dsn.reveal()
    server = EmbeddedPostgres(Path(settings.storage.database_dir))
    if not dsn and server.pid is None:
        return None
    pool = _pool(settings, dsn or server.dsn())
    try:
        with pool.connection() as connection:
            return question(connection)
    except DatabaseError:
        return None
    finally:
        pool.close()


def workers_here(settings: Settings) -> list[Row]:
    """Workers of this host that are alive by the register; none where it cannot be read."""
    return _alive_here(asked(settings, _registered) or [])


def _registered(connection: GreenConnection) -> list[Row]:
    (facts,) = fetch_all(connection, _FACTS, ())
    return workers.list_workers(connection) if facts["register"] else []


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
            role = inspection.role(connection)
    except DatabaseError as error:
        yield failed("database", str(error), "check VOICE_AI_DATABASE_DSN and pg_hba.conf")
        return
    finally:
        pool.close()
    yield ok("database", f"PostgreSQL {facts['version']}")
    yield from _encoding(facts["encoding"])
    yield _tables(facts["fusionpbx"])
    yield _clock(float(facts["now_s"]) - time.time())
    yield _migrations(dsn)
    yield _workers(settings, registered)
    yield from _role(role)
    yield from database_way.look(role, dsn)
    if facts["register"]:
        yield from _rows(settings, dsn)


def _encoding(encoding: str) -> Iterator[Finding]:
    if encoding != ENCODING:
        advice = "copy it with `pg_dump` into a new database in UTF8 (docs/operations.md)"
        yield failed("database encoding", f"{encoding} instead of {ENCODING}", advice)


def _tables(fusionpbx: bool) -> Finding:
    if fusionpbx:
        return ok("FusionPBX tables", "v_domains is there")
    return failed(
        "FusionPBX tables", "v_domains is missing", "point the DSN at FusionPBX's database"
    )


def _role(role: Row) -> Iterator[Finding]:
    """What the service's role may: too little breaks calls, too much breaks the database."""
    check = "database role"
    if role["replica"]:
        advice = "point VOICE_AI_DATABASE_DSN at the primary: a replica takes no rows"
        yield failed("database writes", "this server is a replica", advice)
    if role["missing"]:
        advice = "run `esl-controller database-role --apply` as the owner of the tables"
        detail = f"{role['name']} lacks rights on {_named(role['missing'])}"
        yield failed(check, detail, advice)
    elif role["superuser"] or role["creates"] or role["makes_tables"] or role["surplus"]:
        whole = role["superuser"] or role["creates"] or role["makes_tables"]
        may = "may do everything" if whole else f"may change {_named(role['surplus'])}"
        advice = "give the workers a role of their own: deploy/database (docs/security.md)"
        yield note(check, f"{role['name']} {may}", advice)
    else:
        yield ok(check, f"{role['name']}, who may do what the program needs and nothing else")


def _named(tables: list[str]) -> str:
    more = f" and {len(tables) - 3} more" if len(tables) > 3 else ""
    return f"{', '.join(tables[:3])}{more}"


def _rows(settings: Settings, dsn: str) -> Iterator[Finding]:
    """Numbers that another dialplan takes, and keys of providers that cannot be opened."""
    pool = _pool(settings, dsn)
    try:
        with pool.connection() as connection:
            rows = inspection.earlier_dialplans(connection, dialplans.APP_UUID)
        yield from dialplans.judge(rows)
    except DatabaseError as error:
        advice = "point the DSN at FusionPBX's database"
        yield note("dialplan order", f"not looked at: {str(error).splitlines()[0]}", advice)
    try:
        yield _keys(settings, pool)
    except (DatabaseError, SecretError) as error:
        advice = "see the finding about the secret key"
        yield failed("tenants' keys", str(error), advice)
    finally:
        pool.close()


def tenants_keys(settings: Settings) -> list[str]:
    """Every key of tenants that can be opened here, and its sealed form: to be hidden."""
    dsn = settings.database.dsn.reveal()
    if not dsn:
        return []
    pool, found = _pool(settings, dsn), []
    store = None
    with contextlib.suppress(SecretError):
        store = _store(settings, pool)
    try:
        for domain_uuid, row in _provider_rows(pool):
            found += [f"{name}: {value}" for name, value in (row["headers"] or {}).items()]
            found.append(row["credential"] or "")
            if store is not None:
                with contextlib.suppress(SecretError):
                    found.append(store.open(domain_uuid, row["credential"] or "").reveal())
    except DatabaseError:  # `look` says so
        pass
    finally:
        pool.close()
    return found


def _provider_rows(pool: Pool) -> Iterator[tuple[str, Row]]:
    """Domain and provider row of every tenant."""
    with pool.connection(autocommit=True) as connection:
        for domain in tenants.list_domains(connection):
            for row in providers.list_providers(connection, domain["domain_uuid"]):
                yield domain["domain_uuid"], row


def _store(settings: Settings, pool: Pool) -> SecretStore | None:
    """What opens keys; None without a key file, which a look does not make. Raises SecretError."""
    if not Path(settings.storage.secret_key_file).exists():
        return None
    return config_source(settings, pool).secret_store


def _keys(settings: Settings, pool: Pool) -> Finding:
    """Providers' keys of tenants: each must be opened here, or its calls are refused."""
    store, good, bad = _store(settings, pool), 0, []
    if store is None:
        advice = "see the finding about the secret key"
        return note("tenants' keys", "not looked at: there is no secret key here", advice)
    for domain_uuid, row in _provider_rows(pool):
        if not row["credential"]:
            continue
        try:
            store.open(domain_uuid, row["credential"])
            good += 1
        except SecretError as error:
            bad.append(f"{row['provider_label']} of domain {domain_uuid}: {error}")
    if bad:
        advice = "enter the key again: `esl-controller provider set`"
        return failed("tenants' keys", f"{len(bad)} cannot be used: {bad[0]}", advice)
    return ok("tenants' keys", f"{good} can be opened")


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
