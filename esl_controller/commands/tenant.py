"""`tenant`: what each domain may spend, keep and carry at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from esl_controller.commands.columns import column_options, given_values, one_row, table
from esl_controller.commands.shared import Shell, with_database
from esl_controller.commands.site import Site, pool_of, with_domain
from esl_controller.database.repository import demo, secretaries, tenants
from esl_controller.tenants.columns.after_call import SECRETS
from esl_controller.tenants.config import config_source
from esl_controller.tenants.fields import TENANT
from esl_controller.tenants.shown import tenant_shown


@click.group()
def command() -> None:
    """Show and change the limits of a domain.

    Domains themselves are FusionPBX's and are made there.
    """


@command.command("list")
@with_database
def list_(shell: Shell) -> None:
    """List every domain, with the numbers its secretaries answer."""
    with pool_of(shell, shell.settings()) as pool, pool.connection(autocommit=True) as connection:
        rows = [
            {
                "domain": row["domain_name"],
                "domain_uuid": row["domain_uuid"],
                "extensions": secretaries.list_extensions(connection, row["domain_uuid"]),
            }
            for row in tenants.list_domains(connection)
        ]
    shown = [{**row, "extensions": " ".join(row["extensions"])} for row in rows]
    shell.result(rows, table(shown, ("domain", "extensions", "domain_uuid"), "No domains."))


@command.command()
@click.argument("name")
@with_database
def add(shell: Shell, name: str) -> None:
    """Make the domain NAME in the packaged PostgreSQL (--embedded-db), to try things out."""
    if not shell.embedded_db:
        raise shell.fail("domains are made in FusionPBX; this works with --embedded-db alone")
    with pool_of(shell, shell.settings()) as pool, pool.connection() as connection:
        domain_uuid = demo.add_domain(connection, name)
    shell.result({"domain": name, "domain_uuid": domain_uuid}, f"{name} is there: {domain_uuid}")


@command.command()
@with_domain
def show(site: Site) -> None:
    """Show the limits of a domain; the defaults where it has set none."""
    row = site.editor.settings()
    row = tenant_shown(row)
    site.shell.result({"domain": site.domain_name, **row}, one_row(row))


@command.command("set")
@column_options(TENANT)
@with_domain
def set_(site: Site, **options: Any) -> None:
    """Change limits of a domain; an empty value takes one away.

    esl-controller tenant set --domain pbx.example.com --monthly-budget-usd 50

    Keys are given as @FILE and sealed; others see what stands on a command line.
    """
    for name in SECRETS:
        _require_no_key_in_view(name, options.get(f"column_{name}"), options["pairs"])
    values = _sealed(site, given_values(TENANT, options))
    if not values:
        raise click.UsageError("name a limit to change, such as --daily-budget-usd 5")
    row = tenant_shown(site.editor.set_settings(values))
    site.shell.result({"domain": site.domain_name, **row}, one_row(row))


def _require_no_key_in_view(name: str, text: str | None, pairs: Sequence[str]) -> None:
    given = [text or ""]
    given += [pair.partition("=")[2] for pair in pairs if pair.replace("-", "_").startswith(name)]
    in_view = (one.startswith("@@") or not one.startswith(_NO_KEY) for one in given if one)
    if any(in_view):
        raise click.UsageError(f"give {name} as @FILE: others see what is on a command line")


def _sealed(site: Site, values: dict[str, Any]) -> dict[str, Any]:
    """What is neither sealed nor a reference is the key itself."""
    for name in SECRETS:
        key = values.get(name)
        if key and not key.startswith(_NO_KEY):
            keys = config_source(site.settings, site.pool).secret_store.latest_keys()
            values[name] = keys.seal(site.domain_uuid, key)
    return values


_NO_KEY = ("@", "sealed:", "env:", "file:")
