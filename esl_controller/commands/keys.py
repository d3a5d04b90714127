"""`keys`: the key pair that seals providers' API keys."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.commands.storage import database
from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.tenants.keys.rotation import reseal_all
from esl_controller.tenants.keys.secrets import SecretError, SecretKeys

STANDARD_INPUT = "-"


@click.group()
def command() -> None:
    """Seal providers' API keys, and change the key they are sealed with."""


@command.command()
@with_shell
def show(shell: Shell) -> None:
    """Show the public key; the key pair is made if there is none."""
    keys = _load(shell)
    shell.result(
        {"key_id": keys.key_id, "public_key": keys.public_key},
        f"key id      {keys.key_id}\npublic key  {keys.public_key}",
    )


@command.command()
@click.option("--domain", "domain_uuid", type=click.UUID, required=True, help="The tenant.")
@with_shell
def seal(shell: Shell, domain_uuid: object) -> None:
    """Seal an API key read from standard input; prints what the database column takes.

    It is read from standard input because arguments are seen in the list of processes.
    """
    api_key = (
        click.prompt("API key", hide_input=True, err=True)
        if sys.stdin.isatty()
        else sys.stdin.readline().strip()
    )
    try:
        sealed = _load(shell).seal(str(domain_uuid), api_key)
    except SecretError as error:
        raise shell.fail(str(error)) from error
    shell.result({"credential": sealed}, sealed)


@command.command()
@with_shell
def rotate(shell: Shell) -> None:
    """Make a new key pair and seal every stored API key with it.

    Running workers read the key file again when they meet the new key. When all was sealed again,
    older keys may be taken out of the file.
    """
    settings = shell.settings()
    path = Path(settings.storage.secret_key_file)
    try:
        keys = _load(shell).rotate(path)
    except (SecretError, OSError) as error:
        raise shell.fail(str(error)) from error
    with database(settings, shell) as dsn:
        pool = Pool(dsn, size=1)
        try:
            with shell.step("Sealing again"):
                report = reseal_all(pool, keys)
        except DatabaseError as error:
            raise shell.fail(f"new key made, but not all was sealed again: {error}") from error
        finally:
            pool.close()
    shell.result(
        {"key_id": keys.key_id, "resealed": report.resealed, "problems": report.problems},
        "\n".join([f"New key {keys.key_id}; {report.resealed} sealed again.", *report.problems]),
    )
    if report.problems:
        raise click.exceptions.Exit(1)


def _load(shell: Shell) -> SecretKeys:
    try:
        return SecretKeys.load_or_create(Path(shell.settings().storage.secret_key_file))
    except (SecretError, OSError) as error:
        raise shell.fail(str(error)) from error
