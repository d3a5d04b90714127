"""`database-role`: a role for the workers that may do what they need, and nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.database.role import NAME, role_sql
from esl_controller.database.role_given import RoleNotGiven, give_role


@click.command()
@click.option("--name", default=NAME, show_default=True, help="Name of the role.")
@click.option("--apply", is_flag=True, help="Run it in the database; else it is only shown.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --apply: give the role the password in this file.",
)
@with_shell
def command(shell: Shell, name: str, apply: bool, password_file: Path | None) -> None:
    """Show the SQL that makes a role for the workers, with the rights they need and no other.

    Tables stay with their owner, who runs `migrate`, and this after it: with --apply, or by psql.
    """
    try:
        sql = role_sql(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--name") from error
    if not apply:
        if password_file is not None:
            raise click.UsageError("--password-file needs --apply")
        shell.result({"sql": sql}, sql.rstrip())
        return
    password = None
    if password_file is not None:
        password = password_file.read_text("utf-8").rstrip("\n")
        if len(password) < 16:
            raise shell.fail(f"{password_file}: a password of 16 characters or more is wanted")
    at = shell.settings().database
    if not at.dsn:
        raise shell.fail("no database is set: VOICE_AI_DATABASE_DSN, as the owner of its tables")
    try:
        give_role(at.dsn.reveal(), name, password, connect_timeout_s=at.connect_timeout_s)
    except RoleNotGiven as error:
        raise shell.fail(str(error)) from error
    shell.result({"role": name}, f"{name} may do what the workers need, and nothing else.")
