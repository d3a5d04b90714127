"""`config`: what the settings are, and what is wrong with them."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from esl_controller.commands.shared import EXIT_SETTINGS, Shell, with_shell
from esl_controller.commands.storage import database
from esl_controller.config_rules import ConfigError
from esl_controller.config_source import ConfigSource
from esl_controller.models import RouteEntry, TurnBasedEntry
from esl_controller.pool import DatabaseError, Pool
from esl_controller.price_file import read_prices
from esl_controller.pricing import PRICES
from esl_controller.secrets import SecretError
from esl_controller.settings import Setting, Settings, every_setting
from esl_controller.tenant_config import config_source


@click.group()
def command() -> None:
    """Check and show the settings."""


@command.command()
@click.option(
    "--domain", "domain_uuid", type=click.UUID, help="Check a tenant's number in the database too."
)
@click.option("--extension", help="The number, with --domain.")
@with_shell
def check(shell: Shell, domain_uuid: uuid.UUID | None, extension: str | None) -> None:
    """Name everything that is wrong with the settings. Exit code 2 if anything is.

    The operator's price list is checked too; if all is good, it says which prices are used.

    With --domain and --extension also everything that is wrong with the secretary who
    answers that number: its row, its provider's, its key.
    """
    settings = shell.settings()
    if (domain_uuid is None) != (extension is None):
        raise click.UsageError("--domain and --extension belong together")
    if domain_uuid is None or extension is None:
        _tell_good(shell, settings.storage.price_file)
        return
    with _source(shell, settings) as source:
        try:
            entry = source.load(str(domain_uuid), extension)
        except ConfigError as error:
            _tell_problems(shell, error.problems)
            sys.exit(EXIT_SETTINGS)
        except DatabaseError as error:
            raise shell.fail(str(error)) from error
    _tell_route(shell, extension, entry)


def _tell_good(shell: Shell, price_file: str) -> None:
    own = len(read_prices(price_file)) if price_file else 0
    built_in = f"built in, of {max(price.since for price in PRICES)}"
    used = f"{price_file} ({own} entries), over those {built_in}" if price_file else built_in
    shell.result(
        {"problems": [], "prices": {"file": price_file or None, "entries": own}},
        f"The settings are good.\nPrices: {used}.",
    )


@contextmanager
def _source(shell: Shell, settings: Settings) -> Iterator[ConfigSource]:
    with database(settings, shell) as dsn:
        pool = Pool(dsn, size=1)
        try:
            yield config_source(settings, pool)
        except SecretError as error:
            raise shell.fail(str(error)) from error
        finally:
            pool.close()


def _tell_problems(shell: Shell, problems: Sequence[str]) -> None:
    lines = "\n".join(f"  {problem}" for problem in problems)
    data = {"problems": list(problems)}
    shell.result(data, f"The call would be handed back:\n{lines}", error=True)


def _tell_route(shell: Shell, extension: str, entry: RouteEntry | TurnBasedEntry | None) -> None:
    if isinstance(entry, RouteEntry):
        providers = [access.config.provider_label for access in entry.providers]
        data = {
            "answered_by": "realtime",
            "secretary": entry.secretary.secretary_name,
            "providers": providers,
            "warnings": list(entry.warnings),
        }
        text = f"{extension}: {entry.secretary.secretary_name}, by {', then '.join(providers)}."
        warnings = "".join(f"\n  warning: {warning}" for warning in entry.warnings)
        shell.result({"problems": [], **data}, text + warnings)
    else:
        who = "turn_based" if entry else "nobody"
        text = f"{extension}: answered by {who}; the call would be handed back."
        shell.result({"problems": [], "answered_by": who}, text)


@command.command()
@with_shell
def show(shell: Shell) -> None:
    """Show every setting in use; secrets are masked."""
    settings = shell.settings()
    rows = {row.variable: _shown(settings, row) for row in every_setting()}
    width = max(map(len, rows))
    shell.result(rows, "\n".join(f"{name:<{width}}  {rows[name]}" for name in rows))


def _shown(settings: Settings, row: Setting) -> Any:
    value = getattr(getattr(settings, row.group), row.name)
    if row.is_secret:
        return "(set)" if value else "(empty)"
    return ",".join(value) if isinstance(value, tuple) else value
