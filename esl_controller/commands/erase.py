"""`erase`: remove every conversation a tenant had with one caller."""

from __future__ import annotations

from dataclasses import asdict

import click

from esl_controller.commands.shared import EXIT_FAILED, confirm
from esl_controller.commands.site import Site, with_domain
from esl_controller.database.pool import DatabaseError
from esl_controller.record.recordings import Recordings
from esl_controller.record.retention import ErasureReport, erase_caller


@click.command()
@click.argument("caller_number")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_domain
def command(site: Site, caller_number: str, yes: bool) -> None:
    """Remove all conversations with CALLER_NUMBER, with a report of what was removed.

    It cannot be undone. All of it is removed or, on an error, nothing. Calls going on stay: run it
    again when they have ended. Exit code 1 if there are any.
    """
    question = f"Remove everything about {caller_number} at {site.domain_name}?"
    confirm(site.shell, question, yes=yes)
    try:
        with site.shell.step("Removing"):
            recordings = Recordings(site.shell.settings().freeswitch.recordings_dir)
            report = erase_caller(site.pool, site.domain_uuid, caller_number, recordings)
    except DatabaseError as error:
        raise site.shell.fail(f"nothing was removed: {error}") from error
    site.shell.result(asdict(report), _told(report))
    if report.going_on:
        raise click.exceptions.Exit(EXIT_FAILED)


def _told(report: ErasureReport) -> str:
    lines = ["Removed:", *(f"{count:>8}  {name}" for name, count in report.removed.items())]
    if report.going_on:
        lines += ["Still going on, so run this again:", f"{report.going_on:>8}  conversations"]
    return "\n".join([*lines, "Not ours to remove:", *(f"{'':10}{x}" for x in report.elsewhere)])
