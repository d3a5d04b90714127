"""`python -m esl_controller.simulator.gemini`: the emulator as a process of its own.

Prints one JSON line with its URL, serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

from typing import Any

import click

from esl_controller.simulator.gemini.config import EmulatorConfig
from esl_controller.simulator.gemini.server import GeminiEmulator
from esl_controller.simulator.service.process import serve, stats
from esl_controller.simulator.service.script import SCRIPTS
from esl_controller.simulator.service.voices import VOICES


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@click.option("--script", type=click.Choice(sorted(SCRIPTS)), default="demo", show_default=True)
@click.option("--voice", type=click.Choice(sorted(VOICES)), default="synthetic", show_default=True)
@click.option("--fast", is_flag=True, help="Cheap turn detection, for load tests.")
@click.option("--pace", default=4.0, show_default=True, help="Times faster than real time.")
@click.option("--think-ms", default=200, show_default=True)
@click.option("--api-key", multiple=True, help="Keys let in; without any, every key is.")
@click.option("--session-limit", default=600.0, show_default=True, help="Seconds.")
@click.option(
    "--stats", is_flag=True, help="Print a JSON line of records at the end, and at SIGUSR1."
)
def main(**options: Any) -> None:
    """Serve an emulated Gemini Live on loopback."""
    with_stats = options.pop("stats")
    emulator = GeminiEmulator(_config(options))
    serve(emulator, (lambda: stats(emulator.sessions)) if with_stats else None)


def _config(options: dict[str, Any]) -> EmulatorConfig:
    return EmulatorConfig(
        script=SCRIPTS[options.pop("script")],
        voice=VOICES[options.pop("voice")](),
        api_keys=frozenset(options.pop("api_key")) or None,
        session_limit_s=options.pop("session_limit"),
        think_s=options.pop("think_ms") / 1000,
        **options,
    )


if __name__ == "__main__":
    main()
