"""`make bench`: what a worker costs and how late it is; prints a table, writes bench.json."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import tempfile  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import click  # noqa: E402

from bench import relay  # noqa: E402
from bench.machine import come_first  # noqa: E402
from bench.pair import compare  # noqa: E402
from bench.processes import database  # noqa: E402

TLS = Path(__file__).parents[1] / "tests" / "wire" / "ws" / "tls"
"""The tests' own certificate for loopback."""
COLUMNS = (
    ("kind", "kind"),
    ("calls", "calls"),
    ("pace", "pace"),
    ("workers", "workers"),
    ("CPU %/call", "cpu_percent_per_call"),
    ("uplink p50", "uplink_ms_p50"),
    ("p99", "uplink_ms_p99"),
    ("first p50", "first_audio_ms_p50"),
    ("p99", "first_audio_ms_p99"),
    ("reply", "reply_ms_p50"),
    ("interr.", "interrupted_reply_ms_p50"),
    ("barge p95", "barge_in_ms_p95"),
    ("greet p95", "answer_to_greeting_ms_p95"),
    ("late", "late_frames"),
    ("late rx", "late_arrivals"),
    ("gc ms", "gc_pause_ms"),
    ("kB/call", "rss_kb_per_call"),
    ("talk %", "talk_percent"),
    ("ref ms", "reference_ms"),
    ("mach p99", "machine_late_ms_p99"),
    ("load", "load"),
    ("steal %", "steal_percent"),
    ("others %", "others_percent"),
    ("worker %", "worker_cpu_percent"),
    ("prov. %", "provider_cpu_percent"),
    ("callers %", "callers_cpu_percent"),
)


@click.command()
@click.option("--calls", default="10,50,100,200", show_default=True, help="Sizes: 10 to 400.")
@click.option("--seconds", default=30.0, show_default=True, help="Measured time of each run.")
@click.option("--kinds", default="pcm,g711", show_default=True)
@click.option("--paces", default="heavy", show_default=True, help="Of heavy and talk.")
@click.option("--workers", default="1", show_default=True, help="How many share the calls.")
@click.option(
    "--provider",
    default="openai",
    show_default=True,
    type=click.Choice(["openai", "elevenlabs", "gemini"]),
    help="Whose emulator the calls talk to.",
)
@click.option("--tls/--no-tls", default=True, help="Also with TLS to the provider, at 100 calls.")
@click.option("--foremost", is_flag=True, help="Before all other work of this machine (root).")
@click.option(
    "--reference",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another checkout, with its .venv: measure both by turns and print the ratios.",
)
@click.option("--together", is_flag=True, help="Both at the same time: for the ratio of CPU.")
@click.option("--rounds", default=3, show_default=True, help="Of each with --reference.")
@click.option("--out", default="build/bench.json", type=click.Path(path_type=Path))
def main(
    calls: str,
    seconds: float,
    kinds: str,
    paces: str,
    workers: str,
    provider: str,
    tls: bool,
    foremost: bool,
    reference: Path | None,
    together: bool,
    rounds: int,
    out: Path,
) -> None:
    """Measure workers with the simulator in processes of its own."""
    if foremost:
        come_first()
    if reference is not None:
        options = ["--calls", calls, "--seconds", str(seconds), "--kinds", kinds]
        options.append("--tls" if tls else "--no-tls")
        compare(reference, options, rounds, together=together)
        return
    plans = planned(calls, seconds, kinds, paces, workers, provider, tls=tls)
    runs = _measure(plans)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({**_headline(runs), "runs": runs}, indent=1) + "\n")
    click.echo(f"{out} written")


def planned(
    calls: str, seconds: float, kinds: str, paces: str, workers: str, provider: str, *, tls: bool
) -> list[relay.Plan]:
    """All runs asked for, and with `tls` one more of each kind, at 100 calls."""
    plans = [
        relay.Plan(kind, int(size), seconds, pace, int(number), None, provider)
        for number in workers.split(",")
        for pace in (relay.HEAVY, relay.TALK)
        if pace.name in paces.split(",")
        for size in calls.split(",")
        for kind in (relay.PCM, relay.G711)
        if kind.name in kinds.split(",")
    ]
    if tls and provider == "openai":
        certificate = str(TLS / "localhost.pem"), str(TLS / "localhost.key")
        plain = {plan.kind.name: plan for plan in plans}.values()
        plans += [replace(plan, calls=100, workers=1, tls=certificate) for plan in plain]
    return plans


def _measure(plans: list[relay.Plan]) -> list[dict[str, Any]]:
    runs = []
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        Path(directory).chmod(0o755)  # PostgreSQL runs as a user of its own
        with database(Path(directory) / "pg") as dsn:
            click.echo(_row([title for title, _ in COLUMNS]))
            for plan in plans:
                run = relay.as_dict(relay.measure(dsn, plan))
                runs.append(run)
                line = _row([run[key] for _, key in COLUMNS]) + ("  tls" if run["tls"] else "")
                click.echo(line + (f"  no CPU figure: {run['starved']}" if run["starved"] else ""))
    return runs


def _headline(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of the run with 100 calls (the largest, where that was not made)."""
    plain = [run for run in runs if not run["tls"] and run["workers"] == 1]
    size = max((run["calls"] for run in plain if run["calls"] <= 100), default=0)
    picked = {run["kind"]: run for run in reversed(plain) if run["calls"] == size}
    main_run = picked.get("pcm") or picked.get("g711") or {}
    names = (
        "uplink_ms_p50", "uplink_ms_p99", "first_audio_ms_p50", "first_audio_ms_p99",
        "late_frames", "rss_kb_per_call", "barge_in_ms_p95", "answer_to_greeting_ms_p95",
    )  # fmt: skip
    return {
        "calls": size,
        "pcm_cpu_percent_per_call": picked.get("pcm", {}).get("cpu_percent_per_call"),
        "g711_cpu_percent_per_call": picked.get("g711", {}).get("cpu_percent_per_call"),
        **{name: main_run.get(name) for name in names},
    }


def _row(values: list[object]) -> str:
    return " ".join(
        (f"{v:10.2f}" if isinstance(v, float) else f"{v if v is not None else '-':>10}")
        for v in values
    )


if __name__ == "__main__":
    main()
