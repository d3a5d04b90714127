"""`speech`: run the speech process of this host."""

from __future__ import annotations

import os
import sys

import click

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.settings.table import Settings

MODULE = "bridge.speech.server"


@click.command()
@with_shell
def command(shell: Shell) -> None:
    """Make voices for the workers of this host, until SIGTERM.

    One is enough for all workers, and only providers of kind `custom` need it. It takes the place
    of this program: it works in threads, which here would be greenlets.
    """
    program = [sys.executable, "-m", MODULE, *_arguments(shell.settings())]
    os.execv(sys.executable, program)


def _arguments(settings: Settings) -> list[str]:
    speech = settings.speech
    arguments = ["--socket", speech.socket, "--voices", speech.voices_dir]
    arguments += ["--turn-model", speech.turn_model] if speech.turn_model else []
    return arguments + (["--workers", str(speech.workers)] if speech.workers else [])
