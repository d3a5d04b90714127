"""`erase`: remove every conversation a tenant had with one caller."""

from __future__ import annotations

import click

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.commands.storage import database
from esl_controller.pool import DatabaseError, Pool
from esl_controller.retention import erase_caller


@click.command()
@click.option("--domain", "domain_uuid", type=click.UUID, required=True, help="The tenant.")
@click.argument("caller_number")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_shell
def command(shell: Shell, domain_uuid: object, caller_number: str, yes: bool) -> None:
    """Remove all conversations with CALLER_NUMBER, with a report of what was removed.

    It cannot be undone. All of it is removed or, on an error, nothing.
    """
    settings = shell.settings()
    if not yes and not shell.as_json:
        click.confirm(f"Remove everything about {caller_number}?", abort=True)
    with database(settings, shell) as dsn:
        pool = Pool(dsn, size=1)
        try:
            with shell.step("Removing"):
                report = erase_caller(pool, str(domain_uuid), caller_number)
        except DatabaseError as error:
            raise shell.fail(f"nothing was removed: {error}") from error
        finally:
            pool.close()
    lines = [f"{count:>8}  {name}" for name, count in report.removed.items()]
    elsewhere = [f"          {what}" for what in report.elsewhere]
    shell.result(
        {"removed": report.removed, "elsewhere": report.elsewhere},
        "\n".join(["Removed:", *lines, "Not ours to remove:", *elsewhere]),
    )
