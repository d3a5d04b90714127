"""`migrate`: run the database migrations, show their state, or go back."""

from __future__ import annotations

import click

from esl_controller.commands.shared import Shell, confirm, with_database
from esl_controller.commands.site import chosen_database
from esl_controller.database.migrate import MigrationError, Migrator


@click.command()
@click.option("--status", is_flag=True, help="Only show which migrations have run.")
@click.option("--dry-run", is_flag=True, help="Run everything, then roll it back.")
@click.option("--down-to", type=int, metavar="NNN", help="Undo every migration after this number.")
@click.option("--yes", is_flag=True, help="Do not ask, with --down-to.")
@with_database
def command(shell: Shell, status: bool, dry_run: bool, down_to: int | None, yes: bool) -> None:
    """Bring the database to the schema of this version.

    May be run any number of times, also while calls go on. Going back with --down-to removes rows
    for good: it counts them, and asks.
    """
    with chosen_database(shell.settings(), shell) as dsn:
        migrator = Migrator(dsn, progress=lambda name: shell.say(f"  {name}"))
        try:
            if status:
                _show_status(shell, migrator)
            else:
                if down_to is not None and not dry_run:
                    _ask(shell, Migrator(dsn), down_to, yes=yes)
                _run(shell, migrator, dry_run, down_to)
        except MigrationError as error:
            raise shell.fail(str(error)) from error


def _ask(shell: Shell, migrator: Migrator, down_to: int, *, yes: bool) -> None:
    """Nobody loses conversations, keys and budgets by a command that looked harmless."""
    lost = migrator.loses(to=down_to)
    if lost:
        shell.say("This removes for good:")
        for name, rows in lost.items():
            shell.say(f"{rows:>10}  rows of {name}")
        confirm(shell, f"Remove {sum(lost.values())} rows?", yes=yes)


def _run(shell: Shell, migrator: Migrator, dry_run: bool, down_to: int | None) -> None:
    with shell.step("Waiting for the database"):
        names = (
            migrator.up(dry_run=dry_run)
            if down_to is None
            else migrator.down(to=down_to, dry_run=dry_run)
        )
    done = ("would be " if dry_run else "") + ("run" if down_to is None else "undone")
    shell.result(
        {"migrations": names, "dry_run": dry_run},
        f"{len(names)} migrations {done}." if names else "Nothing to do.",
    )


def _show_status(shell: Shell, migrator: Migrator) -> None:
    rows = migrator.status()
    shell.result(
        [{"name": r.name, "state": r.state.value, "applied_at": r.applied_at} for r in rows],
        "\n".join(f"{r.state.value:<8} {r.name}  {r.applied_at or ''}".rstrip() for r in rows),
    )
