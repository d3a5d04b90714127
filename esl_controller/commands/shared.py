"""What the commands share: settings, output for people or scripts, signs of life."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import gevent
import msgspec

from esl_controller.money.price_file import price_problems
from esl_controller.settings.loader import SettingsError, load_settings
from esl_controller.settings.table import Settings

EXIT_FAILED = 1
"""The command worked and the answer is no."""
EXIT_SETTINGS = 2
"""The settings are wrong; the same code click uses for wrong arguments."""
QUIET_S = 2.0
"""A step that takes longer shows that it is alive."""

_CLEAR_LINE = "\r\033[K"


@dataclass(frozen=True, slots=True)
class Shell:
    """How this run of a command talks to its user."""

    config_file: Path | None
    as_json: bool
    embedded_db: bool = False
    """Work on the packaged PostgreSQL, whatever database is set."""

    def settings(self, *, with_prices: bool = True) -> Settings:
        """Load the settings; on any mistake print all of them and exit with 2.

        Without `with_prices` the price file is not looked at.
        """
        checks = (price_problems,) if with_prices else ()
        try:
            return load_settings(os.environ, self.config_file, checks=checks)
        except SettingsError as error:
            self.result(
                {"problems": [problem._asdict() for problem in error.problems]},
                "\n".join(["The settings are wrong:", *(f"  {p}" for p in error.problems)]),
                error=True,
            )
            sys.exit(EXIT_SETTINGS)

    def result(self, data: Any, text: str, *, error: bool = False) -> None:
        """Print the answer: `data` with --json, else `text`."""
        if self.as_json:
            click.echo(msgspec.json.format(msgspec.json.encode(data, enc_hook=str)))
        else:
            click.echo(text, err=error)

    def say(self, text: str) -> None:
        """Print a remark that is not part of the answer."""
        if not self.as_json:
            click.echo(text, err=True)

    def fail(self, text: str) -> click.ClickException:
        """An error that ends the command with exit code 1; raise it.

        With --json a script gets it as JSON too: `{"error": …}` on standard output.
        """
        return _JsonFailure(text) if self.as_json else click.ClickException(text)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show on standard error that `label` is still being done, once it takes a while."""
        if self.as_json:
            yield
            return
        sign = gevent.spawn(_show_waiting, label, sys.stderr.isatty())
        try:
            yield
        finally:
            sign.kill()


class _JsonFailure(click.ClickException):
    """An error told to a script."""

    def show(self, file: Any = None) -> None:
        """Print it where the answer would have been."""
        click.echo(msgspec.json.format(msgspec.json.encode({"error": self.message})))


def _show_waiting(label: str, on_terminal: bool) -> None:
    pause_s = 1.0 if on_terminal else 5.0
    waited_s = QUIET_S
    gevent.sleep(QUIET_S)
    try:
        while True:
            line = f"{label} … {waited_s:.0f} s"
            click.echo(_CLEAR_LINE + line if on_terminal else line, nl=not on_terminal, err=True)
            gevent.sleep(pause_s)
            waited_s += pause_s
    finally:
        if on_terminal:
            click.echo(_CLEAR_LINE, nl=False, err=True)


def with_shell(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command --config and --json, and hand it its `Shell` first."""

    @click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="TOML file with settings; the environment wins over it.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
    @functools.wraps(function)
    def wrapper(
        config_file: Path | None, as_json: bool, on_embedded: bool = False, **options: Any
    ) -> None:
        function(Shell(config_file, as_json, on_embedded), **options)

    return wrapper


def with_database(function: Callable[..., None]) -> Callable[..., None]:
    """As `with_shell`, for a command that reads or writes the database."""
    option = click.option(
        "--embedded-db",
        "on_embedded",
        is_flag=True,
        help="Use the packaged PostgreSQL, as `serve --embedded-db` does.",
    )
    return option(with_shell(function))


def confirm(shell: Shell, question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; a script has to say --yes."""
    if yes:
        return
    if shell.as_json:
        raise shell.fail(f"{question} Nothing was done: say --yes")
    click.confirm(question, abort=True, err=True)
