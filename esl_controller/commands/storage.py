"""Which database a command works on."""

from __future__ import annotations

from pathlib import Path

from esl_controller.commands.shared import Shell
from esl_controller.embedded_db import EmbeddedDatabaseError, EmbeddedPostgres
from esl_controller.settings import Settings


def database_dsn(settings: Settings, shell: Shell) -> str:
    """The configured database, or the packaged PostgreSQL, started if it does not run."""
    if settings.database.dsn:
        return settings.database.dsn.reveal()
    server = EmbeddedPostgres(Path(settings.storage.database_dir))
    try:
        with shell.step("Starting the packaged PostgreSQL"):
            server.start()
    except EmbeddedDatabaseError as error:
        raise shell.fail(str(error)) from error
    return server.dsn()
