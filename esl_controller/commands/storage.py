"""Which database a command works on, and which tenant in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from esl_controller.commands.shared import Shell
from esl_controller.database.embedded import EmbeddedDatabaseError, EmbeddedPostgres
from esl_controller.database.embedded_use import in_use
from esl_controller.database.pool import GreenConnection as Connection
from esl_controller.database.pool import Pool
from esl_controller.database.repository import tenants
from esl_controller.database.repository.demo import prepare_standalone
from esl_controller.settings.table import Settings

NO_DATABASE = (
    "no database is set: name FusionPBX's in VOICE_AI_DATABASE_DSN, or the settings file that does "
    "in VOICE_AI_CONFIG or with --config"
)


@contextmanager
def database(settings: Settings, shell: Shell) -> Iterator[str]:
    """Give the DSN of the configured database; without one the command ends with an error.

    An empty database started in its place would answer as if there were no tenant.
    """
    if not settings.database.dsn:
        raise shell.fail(NO_DATABASE)
    yield settings.database.dsn.reveal()


@contextmanager
def packaged_database(settings: Settings, shell: Shell) -> Iterator[str]:
    """Give the DSN of the packaged PostgreSQL.

    It is started if it does not run; the last process that uses it stops it.
    """
    server = EmbeddedPostgres(Path(settings.storage.database_dir))
    with ExitStack() as stack:
        try:
            with shell.step("Starting the packaged PostgreSQL"):
                dsn = stack.enter_context(in_use(server))
        except EmbeddedDatabaseError as error:
            raise shell.fail(str(error)) from error
        _prepare(dsn)
        yield dsn


def _prepare(dsn: str) -> None:
    """Make the tables of FusionPBX that ours refer to."""
    pool = Pool(dsn, size=1)
    try:
        with pool.connection() as connection:
            prepare_standalone(connection)
    finally:
        pool.close()


def domain_named(shell: Shell, connection: Connection, domain: str) -> str:
    """The UUID of the tenant a user means, by UUID or by name; an error when there is none."""
    try:
        domain_uuid: str | None = str(uuid.UUID(domain))
    except ValueError:
        domain_uuid = tenants.find_domain(connection, domain)
    if domain_uuid is None or tenants.find_domain_name(connection, domain_uuid) is None:
        raise shell.fail(f"there is no domain {domain}")
    return domain_uuid
