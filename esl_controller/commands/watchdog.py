"""`watchdog`: kill workers of this host that hang."""

from __future__ import annotations

from pathlib import Path

import click

from esl_controller.commands.shared import Shell, with_shell
from esl_controller.telemetry.log import configure
from esl_controller.workers.watchdog import Watchdog, listen, watch


@click.command()
@click.option(
    "--socket",
    "path",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where workers beat; give them the same path as NOTIFY_SOCKET.",
)
@click.option(
    "--hang-s",
    default=10.0,
    show_default=True,
    type=click.FloatRange(2, 600),
    help="A worker silent for longer is killed.",
)
@with_shell
def command(shell: Shell, path: Path, hang_s: float) -> None:
    """Kill workers that hang, for supervisors that only see processes that end.

    The supervisor then starts them again. systemd does both by itself and needs no watchdog.
    """
    configure(shell.settings().log, name="watchdog.log")
    try:
        sock = listen(path)
    except OSError as error:
        raise shell.fail(f"cannot listen on {path}: {error.strerror or error}") from error
    with sock:
        watch(sock, Watchdog(hang_s))
