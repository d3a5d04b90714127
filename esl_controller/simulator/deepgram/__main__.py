"""`python -m esl_controller.simulator.deepgram`: emulated hearing as a process of its own.

Prints one JSON line with its base URL, serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

import click

from esl_controller.simulator.deepgram.hearing import HearingConfig
from esl_controller.simulator.deepgram.server import DeepgramEmulator
from esl_controller.simulator.service.process import serve
from esl_controller.simulator.service.script import SCRIPTS


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@click.option("--script", type=click.Choice(sorted(SCRIPTS)), default="demo", show_default=True)
def main(host: str, port: int, script: str) -> None:
    """Serve emulated hearing on loopback: it finds turns, and hears the script's lines."""
    serve(DeepgramEmulator(HearingConfig(host=host, port=port, script=SCRIPTS[script])), None)


if __name__ == "__main__":
    main()
