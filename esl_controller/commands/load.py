"""`esl-controller load`: many simulated calls against a running worker."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bridge.audio.formats import L16_16K, PCMA_8K, PCMU_8K
from esl_controller.commands.shared import Shell, with_shell

CODECS = {"PCMU": PCMU_8K, "PCMA": PCMA_8K, "L16": L16_16K}


@click.command()
@click.option("--calls", default=10, show_default=True, help="Calls at once.")
@click.option("--seconds", default=30.0, show_default=True, help="Length of each call.")
@click.option("--ramp", default=0.1, show_default=True, help="Seconds between two calls' starts.")
@click.option("--codec", type=click.Choice(sorted(CODECS)), default="PCMU", show_default=True)
@click.option(
    "--edition",
    default="open",
    show_default=True,
    help="Audio module to imitate: open, binary, json, closed or none.",
)
@click.option("--domain", "domain_uuid", required=True, help="domain_uuid of the tenant.")
@click.option("--extension", default="8001", show_default=True, help="Number to dial.")
@click.option("--host", default="", help="Worker's Event Socket; the settings' by default.")
@click.option("--port", default=0, help="Its port; the settings' by default.")
@click.option("--interrupt-every", default=4, show_default=True, help="0: never interrupt.")
@with_shell
def command(shell: Shell, codec: str, edition: str, **options: Any) -> None:
    """Call a worker many times at once and tell what the callers heard.

    The worker must be running, with a tenant that answers EXTENSION.
    """
    from esl_controller.simulator.load import LoadPlan, run_load
    from esl_controller.simulator.switch.quirks import Edition

    settings = shell.settings()
    controller = (
        options["host"] or settings.esl.listen_host,
        options["port"] or settings.esl.port,
    )
    plan = LoadPlan(
        controller=controller,
        domain_uuid=options["domain_uuid"],
        extension=options["extension"],
        calls=options["calls"],
        codec=CODECS[codec],
        edition=Edition[edition.upper()],
        call_s=options["seconds"],
        ramp_s=options["ramp"],
        interrupt_every=options["interrupt_every"],
    )
    with tempfile.TemporaryDirectory() as temp_dir, shell.step(f"{plan.calls} calls"):
        times = run_load(plan, Path(temp_dir))
    shell.result([asdict(one) for one in times], summary(times))


def summary(times: list[Any]) -> str:
    """The calls in a few lines."""
    answered = [t for t in times if t.answered_at is not None]
    greeting = [(t.audio_from[0] - t.answered_at) * 1000 for t in answered if t.audio_from]
    gaps = [gap for t in times for gap in t.gaps_ms]
    return "\n".join(
        [
            f"calls      {len(times)}, answered {len(answered)}, "
            f"handed back {sum(t.handed_back for t in times)}",
            f"greeting   {statistics.median(greeting):.0f} ms after the answer (median)"
            if greeting
            else "greeting   none was heard",
            f"answers    {sum(len(t.audio_from) for t in times)}",
            f"gaps       {len(gaps)} of over 30 ms, longest {max(gaps, default=0):.0f} ms",
        ]
    )
