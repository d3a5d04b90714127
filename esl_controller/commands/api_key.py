"""A provider's API key on its way in: never an argument, which every process can see."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from esl_controller.commands.shared import Shell
from esl_controller.commands.site import Site
from esl_controller.tenants.keys.secrets import MAX_KEY_FILE_BYTES, SecretError, SecretKeys


def key_options(function: Callable[..., None]) -> Callable[..., None]:
    """The ways to give a key; `credential_of` takes what they say out of the options."""
    options = [
        click.option(
            "--key-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Read the API key from this file, and seal it.",
        ),
        click.option("--key-stdin", is_flag=True, help="Read it from standard input."),
        click.option("--key-prompt", is_flag=True, help="Ask for it."),
        click.option(
            "--key-from",
            metavar="env:NAME|file:PATH",
            help="A key of the operator, read by the worker where it is.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def credential_of(site: Site, options: dict[str, Any]) -> str | None:
    """What goes into the column; None when no key was given. Takes its options out."""
    file, from_stdin, prompt, reference = (
        options.pop(name) for name in ("key_file", "key_stdin", "key_prompt", "key_from")
    )
    if sum(map(bool, (file, from_stdin, prompt, reference))) > 1:
        raise click.UsageError("give the key in one way only")
    if reference:
        if not reference.startswith(("env:", "file:")):
            # It may be the key itself, so it is not repeated.
            raise click.UsageError(
                "--key-from takes env:NAME or file:PATH; it is no place for a key"
            )
        return str(reference)
    if file or from_stdin or prompt:
        return _sealed(site, read_key(site.shell, file, from_stdin=from_stdin))
    return None


def read_key(shell: Shell, file: Path | None, *, from_stdin: bool) -> str:
    """The key from a file, standard input or a person."""
    if file is not None:
        try:
            with file.open("rb") as stream:
                return stream.read(MAX_KEY_FILE_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise shell.fail(f"{file} holds no key: {type(error).__name__}") from None
    if from_stdin and not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    key: str = click.prompt("API key", hide_input=True, err=True)
    return key


def _sealed(site: Site, key: str) -> str:
    keys = SecretKeys.load_or_create(Path(site.settings.storage.secret_key_file))
    try:
        return keys.seal(site.domain_uuid, key)
    except SecretError as error:
        raise site.shell.fail(str(error)) from None
