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
from esl_controller.simulator.service.process import fault_option, faults_of, serve, stats
from esl_controller.simulator.service.script import SCRIPTS
from esl_controller.simulator.service.voices import VOICES


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=0, show_default=True, help="0 takes a free one.")
@click.option("--script", type=click.Choice(sorted(SCRIPTS)), default="demo", show_default=True)
@click.option("--voice", type=click.Choice(sorted(VOICES)), default="synthetic", show_default=True)
@click.option("--fast", is_flag=True, help="Cheap turn detection, for load tests.")
@click.option("--pace", default=4.0, show_default=True, help="Times faster than real time.")
@click.option("--delta-ms", default=100, show_default=True)
@click.option("--think-ms", default=200, show_default=True)
@click.option("--api-shape", type=click.Choice(["ga", "beta"]), default="ga", show_default=True)
@click.option("--api-key", multiple=True, help="Keys let in; without any, every key is.")
@click.option("--session-limit", default=3600.0, show_default=True, help="Seconds.")
@click.option("--tls-cert", type=click.Path(exists=True))
@click.option("--tls-key", type=click.Path(exists=True))
@fault_option
@click.option("--stamp-deltas", is_flag=True, help="Record the time of every audio delta.")
@click.option("--embed-stamps", is_flag=True, help="Audio deltas carry `emulator_sent_s`.")
@click.option(
    "--stats", is_flag=True, help="Print a JSON line of records at the end, and at SIGUSR1."
)
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
        script=SCRIPTS[options.pop("script")],
        voice=VOICES[options.pop("voice")](),
        api_keys=frozenset(options.pop("api_key")) or None,
        session_limit_s=options.pop("session_limit"),
        think_s=options.pop("think_ms") / 1000,
        faults=faults_of(FAULTS, options.pop("fault")),
        **options,
    )


if __name__ == "__main__":
    main()
