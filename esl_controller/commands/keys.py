"""`keys`: the key pair that seals providers' API keys."""

from __future__ import annotations

from pathlib import Path

import click

from esl_controller.commands.api_key import read_key
from esl_controller.commands.shared import Shell, with_database, with_shell
from esl_controller.commands.site import Site, pool_of, with_domain
from esl_controller.database.pool import DatabaseError
from esl_controller.tenants.keys.rotation import reseal_all
from esl_controller.tenants.keys.secrets import SecretError, SecretKeys


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
@with_domain
def seal(site: Site) -> None:
    """Seal an API key read from standard input; prints what the database column takes.

    `provider add` seals by itself. A key is read from standard input because arguments are seen
    in the list of processes.
    """
    api_key = read_key(site.shell, None, from_stdin=True)
    try:
        sealed = _load(site.shell).seal(site.domain_uuid, api_key)
    except SecretError as error:
        raise site.shell.fail(str(error)) from error
    site.shell.result({"credential": sealed}, sealed)


@command.command()
@with_database
def rotate(shell: Shell) -> None:
    """Make a new key pair and seal every stored API key with it.

    Running workers read the key file again when they meet the new key. When all was sealed again,
    older keys may be taken out of the file.
    """
    settings = shell.settings()
    path = Path(settings.storage.secret_key_file)
    with pool_of(shell, settings) as pool:
        with pool.connection(autocommit=True):
            pass  # a database that is away is noticed before there is a new key
        try:
            keys = _load(shell).rotate(path)
        except (SecretError, OSError) as error:
            raise shell.fail(str(error)) from error
        try:
            with shell.step("Sealing again"):
                report = reseal_all(pool, keys)
        except DatabaseError as error:
            raise shell.fail(f"new key made, but not all was sealed again: {error}") from error
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
