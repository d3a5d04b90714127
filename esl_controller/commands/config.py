"""`config check` and `config show`: what the settings are, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import click
import msgspec

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.settings import Setting, Settings, every_setting


@click.group()
def command() -> None:
    """Check and show the settings."""


@command.command()
@with_shell
def check(shell: Shell) -> None:
    """Name everything that is wrong with the settings. Exit code 2 if anything is."""
    shell.settings()
    shell.result({"problems": []}, "The settings are good.")


@command.command()
@with_shell
def show(shell: Shell) -> None:
    """Show every setting in use; secrets are masked."""
    settings = shell.settings()
    rows = {row.variable: _shown(settings, row) for row in every_setting()}
    width = max(map(len, rows))
    shell.result(
        msgspec.to_builtins(rows), "\n".join(f"{name:<{width}}  {rows[name]}" for name in rows)
    )


def _shown(settings: Settings, row: Setting) -> Any:
    value = getattr(getattr(settings, row.group), row.name)
    if row.is_secret:
        return "(set)" if value else "(empty)"
    return ",".join(value) if isinstance(value, tuple) else value
