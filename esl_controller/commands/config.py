"""`config`: what the settings are, and what is wrong with them."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import click

from esl_controller.commands.shared import EXIT_FAILED, Shell, with_shell
from esl_controller.commands.storage import database, domain_named
from esl_controller.database.models import RouteEntry
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import secretaries
from esl_controller.doctor import outside, speech
from esl_controller.money.budget import BudgetGuard, BudgetState
from esl_controller.money.price_file import read_prices
from esl_controller.money.prices import PRICES
from esl_controller.routes.admission import Admission
from esl_controller.routes.places import CallLeases
from esl_controller.routes.routing import Outcome
from esl_controller.routes.verdict import Verdict, judge
from esl_controller.settings.table import Setting, Settings, every_setting
from esl_controller.settings.types import without_secrets
from esl_controller.tenants.config import config_source
from esl_controller.tenants.keys.secrets import SecretError


@click.group()
def command() -> None:
    """Check and show the settings."""


@command.command()
@click.option(
    "--domain", help="Check a tenant's numbers in the database too: its UUID or its name."
)
@click.option("--extension", help="Only this number of the tenant.")
@with_shell
def check(shell: Shell, domain: str | None, extension: str | None) -> None:
    """Name everything that is wrong with the settings. Exit code 2 if anything is.

    The operator's price list is checked too; if all is good, it says which prices are used.

    With --domain also what a call to each number of that tenant would meet now, and why: its
    secretary, hours, budget, places and providers, and everything that is wrong with them.
    Exit code 1 if a number cannot be answered for it.
    """
    settings = shell.settings()
    if domain is None:
        if extension is not None:
            raise click.UsageError("--extension needs --domain")
        _tell_good(shell, settings.storage.price_file)
        return
    verdicts = _judged(shell, settings, domain, extension)
    told = [_told(number, verdict) for number, verdict in verdicts.items()]
    data: object = [_data(number, verdict) for number, verdict in verdicts.items()]
    if extension is not None:
        ((number, verdict),) = verdicts.items()
        data = _data(number, verdict)
    wrong = any(verdict.problems for verdict in verdicts.values())
    shell.result(data, "\n".join(told) or "No number of this tenant has a secretary.", error=wrong)
    if wrong:
        sys.exit(EXIT_FAILED)


def _tell_good(shell: Shell, price_file: str) -> None:
    own = len(read_prices(price_file)) if price_file else 0
    built_in = f"built in, of {max(price.since for price in PRICES)}"
    used = f"{price_file} ({own} entries), over those {built_in}" if price_file else built_in
    shell.result(
        {"problems": [], "prices": {"file": price_file or None, "entries": own}},
        f"The settings are good.\nPrices: {used}.",
    )


def _judged(
    shell: Shell, settings: Settings, domain: str, extension: str | None
) -> dict[str, Verdict]:
    """What calls to the tenant's numbers, or to one, would meet."""
    with database(settings, shell) as dsn:
        pool = Pool(dsn, size=1)
        leases = CallLeases(pool, "check", total_limit=settings.esl.total_capacity or None)
        admission = Admission(BudgetGuard(pool), leases)
        try:
            source = config_source(settings, pool)
            with pool.connection(autocommit=True) as connection:
                domain_uuid = domain_named(shell, connection, domain)
                numbers = [extension] if extension else []
                numbers = numbers or secretaries.list_extensions(connection, domain_uuid)
            verdicts = {one: judge(source, admission, domain_uuid, one) for one in numbers}
            return {one: _tried(verdict, settings) for one, verdict in verdicts.items()}
        except (SecretError, DatabaseError) as error:
            raise shell.fail(str(error)) from error
        finally:
            pool.close()


def _tried(verdict: Verdict, settings: Settings) -> Verdict:
    """With what the speech process of this host could not do for such a call."""
    if verdict.outcome is not Outcome.REALTIME or not isinstance(verdict.entry, RouteEntry):
        return verdict
    missing = [
        *speech.problems(verdict.entry, settings),
        *outside.problems(verdict.entry, settings),
    ]
    return replace(verdict, warnings=(*verdict.warnings, *missing))


def _data(extension: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "extension": extension,
        "outcome": verdict.outcome.value,
        "why": verdict.why,
        "destination": verdict.destination,
        "secretary": verdict.secretary,
        "providers": verdict.providers,
        "budget": None if verdict.budget is None else _budget(verdict.budget),
        "problems": list(verdict.problems),
        "warnings": list(verdict.warnings),
    }


def _told(extension: str, verdict: Verdict) -> str:
    lines = [f"{extension}: {verdict.outcome.value}: {verdict.why}."]
    if verdict.outcome is not Outcome.REALTIME:
        target = verdict.destination
        lines.append(f"the caller goes {f'to {target}' if target else 'on with the dialplan'}")
    if verdict.secretary:
        lines.append(f"secretary: {verdict.secretary}")
    if verdict.providers:
        lines.append(f"providers: {', then '.join(verdict.providers)}")
    if verdict.budget is not None:
        lines.append(f"budget: {_budget(verdict.budget)}")
    lines += [f"wrong: {problem}" for problem in verdict.problems]
    lines += [f"warning: {warning}" for warning in verdict.warnings]
    return "\n  ".join(lines)


def _budget(state: BudgetState) -> str:
    if state.limit_usd is None:
        return "none set"
    level, period = state.level.name.lower(), state.period
    return f"{level}, {state.spent_usd} of {state.limit_usd} USD of the {period}"


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
    if row.name == "base_url":
        return without_secrets(value)
    return ",".join(value) if isinstance(value, tuple) else value
