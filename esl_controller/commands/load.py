"""`esl-controller load`: many simulated calls against a running worker."""

from __future__ import annotations

import statistics
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from esl_controller.commands.aftermath import look_up
from esl_controller.commands.shared import EXIT_FAILED, Shell, with_database
from esl_controller.commands.simulated import (
    CODECS,
    ask_for_faults,
    controller,
    domain_of,
    nobody_there,
    own_seed,
    settings_of_the_worker,
    simulated,
)
from esl_controller.settings.table import Settings

if TYPE_CHECKING:
    from esl_controller.simulator.load import CallTimes, LoadPlan


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
@click.option(
    "--speech",
    default=1.2,
    show_default=True,
    type=click.FloatRange(0.2, 60),
    help="Seconds a caller speaks in one go.",
)
@click.option(
    "--pause",
    default=1.4,
    show_default=True,
    type=click.FloatRange(0.2, 60),
    help="Seconds of the agent's silence before a caller speaks.",
)
@simulated
@with_database
def command(shell: Shell, **options: Any) -> None:
    """Call a worker many times at once and tell what the callers heard.

    The worker must be running, with a tenant that answers the number. Exit code 1 if a caller was
    not served: not answered, handed back, or sent on because the AI could not take the call.
    """
    with settings_of_the_worker(shell) as settings:
        plan = _plan(shell, settings, options)
        ask_for_faults(shell, options["emulator"], options["faults"], times=plan.calls)
        times, reasons = _run(shell, settings, plan)
    found = summary(times, reasons)
    shell.result({"summary": found, "calls": [asdict(one) for one in times]}, told(found))
    if found["served"] < found["calls"]:
        raise click.exceptions.Exit(EXIT_FAILED)


def _plan(shell: Shell, settings: Settings, options: Mapping[str, Any]) -> LoadPlan:
    from esl_controller.simulator.load import LoadPlan
    from esl_controller.simulator.switch.quirks import Edition

    return LoadPlan(
        controller=controller(settings, options),
        domain_uuid=domain_of(shell, settings, options["domain"]),
        extension=options["extension"],
        calls=options["calls"],
        codec=CODECS[options["codec"]],
        edition=Edition(options["edition"]),
        call_s=options["seconds"],
        ramp_s=options["ramp"],
        speech_s=options["speech"],
        pause_s=options["pause"],
        interrupt_every=options["interrupt_every"],
        seed=own_seed(),
    )


def _run(
    shell: Shell, settings: Settings, plan: LoadPlan
) -> tuple[Sequence[CallTimes], Counter[str]]:
    """How the calls went, and why callers were not served."""
    from esl_controller.simulator.load import run_load

    with tempfile.TemporaryDirectory() as temp_dir, shell.step(f"{plan.calls} calls"):
        times = run_load(plan, Path(temp_dir))
    if all(one.unreachable for one in times):
        raise shell.fail(nobody_there(plan.controller, times[0].unreachable))
    return times, _reasons(settings, plan.domain_uuid, times)


def _reasons(settings: Settings, domain_uuid: str, times: Sequence[CallTimes]) -> Counter[str]:
    """Why callers were not served, and how many. Of each kind one call's row is looked up."""
    from esl_controller.simulator.verdict import why_not_served

    first: dict[str, CallTimes] = {}
    counts: Counter[str] = Counter()
    for one in times:
        if why := why_not_served(one.seen):
            first.setdefault(why, one)
            counts[why] += 1
    full: Counter[str] = Counter()
    for why, one in first.items():
        stored = look_up(settings, domain_uuid, one.call_uuid) if one.outcome else None
        full[why_not_served(one.seen, stored.reason if stored else "")] += counts[why]
    return full


def summary(times: Sequence[CallTimes], reasons: Counter[str]) -> dict[str, Any]:
    """The calls in a few numbers; times in milliseconds."""
    answered = [one for one in times if one.answered_at is not None]
    greeting = [
        (one.audio_from[0] - one.answered_at) * 1000
        for one in answered
        if one.audio_from and one.answered_at is not None
    ]
    gaps = [gap for one in times for gap in one.gaps_ms]
    return {
        "calls": len(times),
        "served": len(times) - sum(reasons.values()),
        "answered": len(answered),
        "handed_back": sum(one.handed_back for one in times),
        "sent_on": sum(bool(one.outcome and one.sent_to) for one in times),
        "not_served": dict(reasons),
        "greeting_ms": round(statistics.median(greeting), 1) if greeting else None,
        "answers": sum(len(one.audio_from) for one in times),
        "gaps": len(gaps),
        "longest_gap_ms": round(max(gaps, default=0.0), 1),
    }


def told(found: Mapping[str, Any]) -> str:
    """The same for people."""
    greeting = found["greeting_ms"]
    return "\n".join(
        [
            f"calls      {found['calls']}, served {found['served']}, "
            f"answered {found['answered']}, handed back {found['handed_back']}, "
            f"sent on {found['sent_on']}",
            *(f"not served {count}: {why}" for why, count in found["not_served"].items()),
            "greeting   none was heard"
            if greeting is None
            else f"greeting   {greeting:.0f} ms after the answer (median)",
            f"answers    {found['answers']}",
            f"gaps       {found['gaps']}, longest {found['longest_gap_ms']:.0f} ms",
        ]
    )
