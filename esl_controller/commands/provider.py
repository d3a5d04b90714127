"""`provider`: through whom a domain's secretaries speak, and with whose key."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import click

from bridge.providers.base import Usage
from bridge.providers.registry import DEFAULT_KIND, KINDS
from esl_controller.commands.api_key import credential_of, key_options
from esl_controller.commands.booking import book, prices_of
from esl_controller.commands.columns import column_options, given_values, one_row, table
from esl_controller.commands.shared import (
    EXIT_FAILED,
    EXIT_SETTINGS,
    Shell,
    confirm,
    with_shell,
)
from esl_controller.commands.site import Site, with_domain
from esl_controller.database.models import ProviderAccess
from esl_controller.money.costs import costs_of
from esl_controller.money.price_file import price_list
from esl_controller.tenants.config import config_source
from esl_controller.tenants.fields import PROVIDER, SECRETARY
from esl_controller.tenants.model_ends import ModelEnds
from esl_controller.tenants.providers import NoProvider, provider_protocol
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.shown import provider_shown
from esl_controller.web.api.registry import known_providers

_LISTED = ("provider_label", "realtime_provider", "key", "model", "priority", "enabled")
_COSTS = ("provider_label", "realtime_provider", "today_usd", "month_usd")
_OTHER_COSTS = ("vendor", "purpose", "removed", "today_usd", "month_usd")
_KEY = PROVIDER.table.key


@click.group()
def command() -> None:
    """Add, change and test the providers of a domain.

    A provider is named by its label or its UUID. Keys are sealed before they are stored, and are
    never shown again. A domain without a provider uses the one of the settings.
    """


@command.command()
@with_shell
def kinds(shell: Shell) -> None:
    """List the kinds of provider there are, and what each can do."""
    known = known_providers(None)
    rows = [
        {
            "kind": one.kind,
            "interface": interface.name or "(usual)",
            "audio": " ".join(interface.formats),
            "key": " and ".join(" or ".join(key.variables) for key in one.key_variables),
            "features": " ".join(interface.features),
        }
        for one in known
        for interface in one.interfaces
    ]
    shell.result(known, table(rows, tuple(rows[0]), ""))


@command.command()
@click.argument("kind", type=click.Choice(KINDS), required=False)
@with_shell
def models(shell: Shell, kind: str | None) -> None:
    """List models with their prices, and the day a vendor switches one off.

    Prices are USD per million tokens or characters, or per minute.
    """
    prices = price_list(shell.settings().storage.price_file)
    known = [one for one in known_providers(prices) if kind in (None, one.kind)]
    rows = [
        {
            "kind": one.kind,
            "model": model.id if model.id != "*" else f"({model.vendor})",
            "for": model.role,
            "ends_on": model.ends_on or "",
            "prices": " ".join(f"{price.unit}={price.usd}" for price in model.prices),
        }
        for one in known
        for model in one.models
    ]
    none = "No model of it is known by name."
    shell.result(
        [{"kind": one.kind, "models": one.models} for one in known],
        table(rows, ("kind", "model", "for", "ends_on", "prices"), none),
    )


@command.command()
@click.argument("kind", type=click.Choice(KINDS), required=False)
@with_shell
def voices(shell: Shell, kind: str | None) -> None:
    """List voices that every account has, with a page where they can be heard."""
    known = [one for one in known_providers(None) if kind in (None, one.kind)]
    rows = [
        {
            "kind": one.kind,
            "voice": voice.id,
            "languages": " ".join(voice.languages) or "(the model's)",
            "sample": voice.sample,
        }
        for one in known
        for voice in one.voices
    ]
    none = "Each account has voices of its own."
    shell.result(
        [{"kind": one.kind, "voices": one.voices} for one in known],
        table(rows, ("kind", "voice", "languages", "sample"), none),
    )


@command.command("list")
@with_domain
def list_(site: Site) -> None:
    """List the providers of a domain, in the order calls try them."""
    rows = [provider_shown(row) for row in site.editor.rows(PROVIDER)]
    site.shell.result(rows, table(rows, _LISTED, "No providers: the one of the settings is used."))


@command.command()
@with_domain
def costs(site: Site) -> None:
    """Show what each provider has cost today and this month, in USD.

    Usage that names no provider of the domain is told apart: that of providers since removed, of
    the one of the settings, of services of their own address, and all from before it was noted.
    """
    with site.pool.connection(autocommit=True) as connection:
        found = costs_of(connection, site.domain_uuid)
    told = table(found.providers, _COSTS, "No providers: the one of the settings is used.")
    if found.others:
        told += "\n\nBesides these:\n" + table(found.others, _OTHER_COSTS, "")
    site.shell.result(found._asdict(), told)


@command.command()
@click.argument("provider")
@with_domain
def show(site: Site, provider: str) -> None:
    """Show everything of one provider but its key."""
    row = provider_shown(site.editor.find(PROVIDER, provider))
    site.shell.result(row, one_row(row))


@command.command()
@click.argument("label")
@column_options(PROVIDER, without=("provider_label", "credential"))
@key_options
@with_domain
def add(site: Site, label: str, **options: Any) -> None:
    """Add a provider, named LABEL in logs and checks.

    esl-controller provider add openai --domain pbx.example.com --key-prompt
    """
    credential = credential_of(site, options)
    values = {"realtime_provider": DEFAULT_KIND, **given_values(PROVIDER, options)}
    values |= {"provider_label": label, "credential": credential}
    _stored(site, site.editor.add(PROVIDER, values))


@command.command("set")
@click.argument("provider")
@column_options(PROVIDER, without=("credential",))
@key_options
@with_domain
def set_(site: Site, provider: str, **options: Any) -> None:
    """Change a provider, or give it another key; an empty value takes one away."""
    credential = credential_of(site, options)
    values = given_values(PROVIDER, options)
    if credential is not None:
        values["credential"] = credential
    _stored(site, site.change(PROVIDER, provider, values, such_as="--priority 10 or --key-prompt"))


@command.command()
@click.argument("provider", required=False)
@with_domain
def check(site: Site, provider: str | None) -> None:
    """Say whether a provider's row could be used; connects to nobody. Exit code 2 if not.

    Without PROVIDER all of the domain.
    """
    editor = site.editor
    rows = editor.rows(PROVIDER) if provider is None else [editor.find(PROVIDER, provider)]
    found = [{"provider": row["provider_label"], "problems": _problems(site, row)} for row in rows]
    lines = [f"{one['provider']}: {'; '.join(one['problems']) or 'can be used'}" for one in found]
    site.shell.result(found, "\n".join(lines) or "No providers: the one of the settings is used.")
    if any(one["problems"] for one in found):
        sys.exit(EXIT_SETTINGS)


@command.command()
@click.argument("provider")
@with_domain
def test(site: Site, provider: str) -> None:
    """Connect to a provider as a call would. Exit code 1 if it does not work.

    Nothing is said, so next to nothing is spent; what is counted is booked to the domain.
    """
    from esl_controller.web.api.trying import provider_network, try_access

    row = site.editor.find(PROVIDER, provider)
    try:
        access = _access(site, row)
    except ConfigError as error:
        site.shell.result({"ok": False, "problems": error.problems}, str(error), error=True)
        sys.exit(EXIT_SETTINGS)
    prices, spent = prices_of(site), list[Usage]()
    with site.shell.step(f"Connecting to {row['provider_label']}"):
        connect_s = site.settings.timeouts.provider_connect_s
        network = provider_network(site.settings)
        result = try_access(access, network, connect_s, on_usage=spent.append, ends=ModelEnds())
    through = [replace(usage, account=row[_KEY]) for usage in spent]
    book(site, prices, through)
    if result.error is None:
        text = f"{row['provider_label']} works: connected in {result.connect_ms:.0f} ms, "
        text += f"ready after {result.ready_ms:.0f} ms."
        text += "".join(f"\n  warning: {warning}" for warning in result.warnings)
    else:
        error_ = result.error
        text = f"{row['provider_label']} does not work: {error_.kind} {error_.code}: "
        text += error_.message
    site.shell.result(result, text)
    if not result.ok:
        sys.exit(EXIT_FAILED)


@command.command()
@click.argument("provider")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_domain
def remove(site: Site, provider: str, yes: bool) -> None:
    """Remove a provider and its key."""
    row = site.editor.find(PROVIDER, provider)
    users = [
        one["secretary_name"]
        for one in site.editor.rows(SECRETARY)
        if one["voice_realtime_provider_uuid"] == row[_KEY]
    ]
    used = f" It is used by {', '.join(users)}." if users else ""
    question = f"Remove {row['provider_label']} and its key of {site.domain_name}?{used}"
    confirm(site.shell, question, yes=yes)
    site.editor.remove(PROVIDER, row[_KEY])
    removed = {"removed": row[_KEY], "used_by": users}
    site.shell.result(removed, f"{row['provider_label']} is removed.{used}")


def _stored(site: Site, row: Mapping[str, Any]) -> None:
    problems = _problems(site, row)
    lines = [f"{row['provider_label']} is stored.", *(f"  wrong: {one}" for one in problems)]
    data = {"provider": provider_shown(row), "problems": problems}
    site.shell.result(data, "\n".join(lines))
    if problems:
        sys.exit(EXIT_SETTINGS)


def _problems(site: Site, row: Mapping[str, Any]) -> list[str]:
    try:
        provider_protocol(_access(site, row))
    except ConfigError as error:
        return list(error.problems)
    except NoProvider as error:
        return [str(error)]
    return []


def _access(site: Site, row: Mapping[str, Any]) -> ProviderAccess:
    """Its settings and its opened key. Raises ConfigError."""
    source = config_source(site.settings, site.pool)
    access = source.load_provider(site.domain_uuid, row[_KEY])
    assert access is not None  # the row was read a moment ago
    return access
