"""`python -m esl_controller.simulator.openai`: the emulator as a process of its own.

Prints one JSON line with its URL, serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

from typing import Any

import click
import gevent.ssl

from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.faults import FAULTS
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.simulator.service.process import serve, settings_of, speaking_options, stats


@click.command()
@speaking_options
@click.option("--delta-ms", default=100, show_default=True)
@click.option("--api-shape", type=click.Choice(["ga", "beta"]), default="ga", show_default=True)
@click.option("--session-limit", default=3600.0, show_default=True, help="Seconds.")
@click.option("--tls-cert", type=click.Path(exists=True))
@click.option("--tls-key", type=click.Path(exists=True))
@click.option("--stamp-deltas", is_flag=True, help="Record the time of every audio delta.")
@click.option("--embed-stamps", is_flag=True, help="Audio deltas carry `emulator_sent_s`.")
def main(**options: Any) -> None:
    """Serve an emulated OpenAI Realtime API on loopback."""
    with_stats = options.pop("stats")
    emulator = OpenAIEmulator(_config(options))
    serve(emulator, (lambda: stats(emulator.sessions)) if with_stats else None)


def _config(options: dict[str, Any]) -> EmulatorConfig:
    cert, key = options.pop("tls_cert"), options.pop("tls_key")
    tls = None
    if cert:
        tls = gevent.ssl.SSLContext(gevent.ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert, key)
    return EmulatorConfig(
        tls=tls,
        session_limit_s=options.pop("session_limit"),
        **settings_of(options, FAULTS),
    )


if __name__ == "__main__":
    main()
