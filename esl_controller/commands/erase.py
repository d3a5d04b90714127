"""`erase`: remove every conversation a tenant had with one caller."""

from __future__ import annotations

from dataclasses import asdict

import click

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.commands.storage import database
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import tenants
from esl_controller.record.retention import ErasureReport, erase_caller


@click.command()
@click.option("--domain", "domain_uuid", type=click.UUID, required=True, help="The tenant.")
@click.argument("caller_number")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_shell
def command(shell: Shell, domain_uuid: object, caller_number: str, yes: bool) -> None:
    """Remove all conversations with CALLER_NUMBER, with a report of what was removed.

    It cannot be undone. All of it is removed or, on an error, nothing. Calls going on stay: run it
    again when they have ended. Exit code 1 if there are any.
    """
    settings = shell.settings()
    if not yes and not shell.as_json:
        click.confirm(f"Remove everything about {caller_number}?", abort=True)
    with database(settings, shell) as dsn:
        pool = Pool(dsn, size=1)
        try:
            with shell.step("Removing"):
                _require_domain(shell, pool, str(domain_uuid))
                report = erase_caller(pool, str(domain_uuid), caller_number)
        except DatabaseError as error:
            raise shell.fail(f"nothing was removed: {error}") from error
        finally:
            pool.close()
    shell.result(asdict(report), _told(report))
    if report.going_on:
        raise click.exceptions.Exit(1)


def _require_domain(shell: Shell, pool: Pool, domain_uuid: str) -> None:
    """A mistyped domain must not look like a caller who is forgotten."""
    with pool.connection(autocommit=True) as connection:
        if tenants.find_domain_name(connection, domain_uuid) is None:
            raise shell.fail(f"there is no domain {domain_uuid}")


def _told(report: ErasureReport) -> str:
    lines = ["Removed:", *(f"{count:>8}  {name}" for name, count in report.removed.items())]
    if report.going_on:
        lines += ["Still going on, so run this again:", f"{report.going_on:>8}  conversations"]
    return "\n".join([*lines, "Not ours to remove:", *(f"{'':10}{x}" for x in report.elsewhere)])
