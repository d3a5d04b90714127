"""`speech`: run the speech process of this host."""

from __future__ import annotations

import os
import sys

import click

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.workers.speech import MODULE, arguments


@click.command()
@with_shell
def command(shell: Shell) -> None:
    """Make voices for the workers of this host, and hear, until SIGTERM.

    Only providers of kind `custom` need it, and a worker starts one where nobody has: run it by
    itself to give it limits or a user's log of its own. It serves all workers. While another one
    listens it waits, and takes its place when it ends.
    """
    # It works in threads, which here would be greenlets: hence another program.
    program = [sys.executable, "-m", MODULE, *arguments(shell.settings().speech)]
    os.execv(sys.executable, program)
