"""`esl-controller serve`: one worker, until SIGTERM."""

from __future__ import annotations

import signal

import click
import gevent
from msgspec.structs import replace

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.commands.storage import database
from esl_controller.migrate import MigrationError, Migrator
from esl_controller.price_file import PriceListError
from esl_controller.secrets import SecretError
from esl_controller.settings_types import Secret
from esl_controller.spool import SpoolUnusable
from esl_controller.telemetry.log import configure


@click.command()
@click.option("--migrate/--no-migrate", default=False, help="Bring the database up to date first.")
@click.option("--embedded-db", is_flag=True, help="Use the packaged PostgreSQL, whatever is set.")
@with_shell
def command(shell: Shell, migrate: bool, embedded_db: bool) -> None:
    """Answer calls until SIGTERM or SIGINT, then drain."""
    from esl_controller.app import App

    settings = shell.settings()
    if embedded_db:
        settings = replace(settings, database=replace(settings.database, dsn=Secret()))
    log = configure(settings.log)
    with database(settings, shell) as dsn:
        if migrate or not settings.database.dsn:
            _migrate(shell, dsn)
        try:
            app = App(settings, dsn, log=log)
        except OSError as error:
            raise shell.fail(f"cannot listen: {error}") from error
        except (PriceListError, SecretError, SpoolUnusable) as error:
            raise shell.fail(str(error)) from error
        app.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            gevent.signal_handler(number, app.drain)
        app.stopped.wait()


def _migrate(shell: Shell, dsn: str) -> None:
    try:
        with shell.step("Bringing the database up to date"):
            Migrator(dsn).up()
    except MigrationError as error:
        raise shell.fail(str(error)) from error
