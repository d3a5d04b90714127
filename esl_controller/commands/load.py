"""`esl-controller load`: many simulated calls against a running worker."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from esl_controller.commands.shared import EXIT_FAILED, Shell, with_shell
from esl_controller.commands.simulated import (
    CODECS,
    controller,
    nobody_there,
    own_seed,
    simulated,
)


@click.command()
@click.option(
    "--calls", default=10, show_default=True, type=click.IntRange(1, 2000), help="Calls at once."
)
@click.option(
    "--seconds",
    default=30.0,
    show_default=True,
    type=click.FloatRange(1, 3600),
    help="Length of each call.",
)
@click.option(
    "--ramp",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 60),
    help="Seconds between two calls' starts.",
)
@click.option(
    "--interrupt-every",
    default=4,
    show_default=True,
    type=click.IntRange(0),
    help="Every so-many-th sentence interrupts the agent; 0: none.",
)
@simulated
@with_shell
def command(shell: Shell, **options: Any) -> None:
    """Call a worker many times at once and tell what the callers heard.

    The worker must be running, with a tenant that answers the number. Exit code 1 if a call was
    not answered.
    """
    from esl_controller.simulator.load import LoadPlan, run_load
    from esl_controller.simulator.switch.quirks import Edition

    plan = LoadPlan(
        controller=controller(shell.settings(), options),
        domain_uuid=str(options["domain_uuid"]),
        extension=options["extension"],
        calls=options["calls"],
        codec=CODECS[options["codec"]],
        edition=Edition(options["edition"]),
        call_s=options["seconds"],
        ramp_s=options["ramp"],
        interrupt_every=options["interrupt_every"],
        seed=own_seed(),
    )
    with tempfile.TemporaryDirectory() as temp_dir, shell.step(f"{plan.calls} calls"):
        times = run_load(plan, Path(temp_dir))
    if all(one.unreachable for one in times):
        raise shell.fail(nobody_there(plan.controller, times[0].unreachable))
    shell.result([asdict(one) for one in times], summary(times))
    if any(one.answered_at is None for one in times):
        raise click.exceptions.Exit(EXIT_FAILED)


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
            f"gaps       {len(gaps)}, longest {max(gaps, default=0):.0f} ms",
        ]
    )
