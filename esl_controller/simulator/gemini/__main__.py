"""`python -m esl_controller.simulator.gemini`: the emulator as a process of its own.

Prints one JSON line with its URL, serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

from typing import Any

import click

from esl_controller.simulator.gemini.config import EmulatorConfig
from esl_controller.simulator.gemini.faults import FAULTS
from esl_controller.simulator.gemini.server import GeminiEmulator
from esl_controller.simulator.service.process import serve, settings_of, speaking_options, stats


@click.command()
@speaking_options
@click.option("--session-limit", default=600.0, show_default=True, help="Seconds.")
def main(**options: Any) -> None:
    """Serve an emulated Gemini Live service on loopback."""
    with_stats = options.pop("stats")
    emulator = GeminiEmulator(_config(options))
    serve(emulator, (lambda: stats(emulator.sessions)) if with_stats else None)


def _config(options: dict[str, Any]) -> EmulatorConfig:
    return EmulatorConfig(
        session_limit_s=options.pop("session_limit"),
        **settings_of(options, FAULTS),
    )


if __name__ == "__main__":
    main()
