"""`python -m esl_controller.simulator.elevenlabs`: the emulator as a process of its own.

Prints one JSON line with its URL, serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

from typing import Any

import click

from esl_controller.simulator.elevenlabs.config import FORMATS, EmulatorConfig
from esl_controller.simulator.elevenlabs.faults import FAULTS
from esl_controller.simulator.elevenlabs.server import ElevenLabsEmulator
from esl_controller.simulator.service.process import serve, settings_of, speaking_options, stats


@click.command()
@speaking_options
@click.option("--chunk-ms", default=250, show_default=True)
@click.option("--input-format", type=click.Choice(sorted(FORMATS)), default="ulaw_8000")
@click.option("--output-format", type=click.Choice(sorted(FORMATS)), default="ulaw_8000")
@click.option("--public", is_flag=True, help="Nobody needs a signed address.")
def main(**options: Any) -> None:
    """Serve an emulated ElevenLabs Agents service on loopback."""
    with_stats = options.pop("stats")
    emulator = ElevenLabsEmulator(_config(options))
    serve(emulator, (lambda: stats(emulator.sessions)) if with_stats else None)


def _config(options: dict[str, Any]) -> EmulatorConfig:
    return EmulatorConfig(
        **settings_of(options, FAULTS),
    )


if __name__ == "__main__":
    main()
