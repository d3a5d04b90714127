"""`esl-controller serve`: one worker, until SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
import gevent

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.commands.storage import database, packaged_database
from esl_controller.database.migrate import MigrationError, Migrator
from esl_controller.money.price_file import PriceListError
from esl_controller.record.spool import SpoolUnusable
from esl_controller.telemetry.log import configure
from esl_controller.tenants.keys.secrets import SecretError

if TYPE_CHECKING:
    from esl_controller.app import App


@click.command()
@click.option("--migrate/--no-migrate", default=False, help="Bring the database up to date first.")
@click.option("--embedded-db", is_flag=True, help="Use the packaged PostgreSQL, whatever is set.")
@with_shell
def command(shell: Shell, migrate: bool, embedded_db: bool) -> None:
    """Answer calls until SIGTERM or Ctrl-C, then let the running ones end."""
    from esl_controller.app import App

    # Until there is something to read again: ignored, for its default ends the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = shell.settings()
    try:
        log = configure(settings.log, name=f"worker-{settings.worker.index}.log")
    except OSError as error:
        raise shell.fail(f"no log at {error.filename}: {error.strerror}") from error
    where = packaged_database if embedded_db else database
    with where(settings, shell) as dsn:
        if migrate or embedded_db:
            _migrate(shell, dsn)
        esl, media = settings.esl, settings.media
        try:
            with _listening(shell, esl.listen_host, esl.port, "VOICE_AI_ESL_PORT"):
                app = App(settings, dsn, log=log)
        except (PriceListError, SecretError, SpoolUnusable) as error:
            raise shell.fail(str(error)) from error
        gevent.signal_handler(signal.SIGTERM, app.drain)
        # Before the listener is ready: a SIGHUP that nobody handles ends the process.
        gevent.signal_handler(signal.SIGHUP, _reload, app)
        gevent.signal_handler(signal.SIGINT, _interrupted, shell, app)
        media_port = media.port + settings.worker.index
        with _listening(shell, media.listen_host, media_port, "VOICE_AI_MEDIA_PORT", app.stop):
            app.start()
        app.stopped.wait()


@contextmanager
def _listening(
    shell: Shell, host: str, port: int, variable: str, clean_up: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Say which port could not be had, and by which setting to change it."""
    try:
        yield
    except OSError as error:
        clean_up()
        why = error.strerror or error
        if error.filename is not None:  # no address has one
            raise shell.fail(f"this user cannot use {error.filename}: {why}") from error
        raise shell.fail(f"cannot listen on {host}:{port} ({variable}): {why}") from error


def _interrupted(shell: Shell, app: App) -> None:
    """Ctrl-C drains like SIGTERM; a second one does not wait for the calls."""
    if app.manager.draining:
        app.stop()
        return
    if app.view.active_sessions():
        shell.say("No new calls; waiting for the running ones. Ctrl-C again ends them now.")
    app.drain()


def _reload(app: App) -> None:
    if app.register.running:
        app.reload()


def _migrate(shell: Shell, dsn: str) -> None:
    try:
        with shell.step("Bringing the database up to date"):
            Migrator(dsn).up()
    except MigrationError as error:
        raise shell.fail(str(error)) from error
