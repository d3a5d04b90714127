"""`python -m bench.pair --against DIR`: this checkout and another, by turns, and their ratio.

CPU figures of one machine differ by up to two between a busy minute and a quiet one, so only runs
made right after one another compare. Each checkout is measured by its own bench with its own
interpreter (`.venv/bin/python`), as if its user had run it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

HERE = Path(__file__).parents[1]
SHOWN = (
    "cpu_percent_per_call",
    "reference_ms",
    "uplink_ms_p50",
    "uplink_ms_p99",
    "first_audio_ms_p50",
    "first_audio_ms_p99",
    "barge_in_ms_p95",
    "answer_to_greeting_ms_p95",
    "rss_kb_per_call",
    "late_frames",
    "late_arrivals",
    "machine_late_ms_p99",
)
LONGEST_RUN_S = 600.0

Run = dict[str, Any]


@click.command()
@click.option(
    "--against",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The other checkout, with its .venv.",
)
@click.option("--calls", default="100", show_default=True, help="Sizes of the runs.")
@click.option("--kinds", default="pcm,g711", show_default=True)
@click.option("--seconds", default=20.0, show_default=True, help="Measured time of each run.")
@click.option("--rounds", default=2, show_default=True, help="Runs of each checkout.")
@click.option("--tls/--no-tls", default=False)
def main(against: Path, calls: str, kinds: str, seconds: float, rounds: int, tls: bool) -> None:
    """Measure two checkouts by turns."""
    options = ["--calls", calls, "--kinds", kinds, "--seconds", str(seconds)]
    options.append("--tls" if tls else "--no-tls")
    ours: list[Run] = []
    theirs: list[Run] = []
    for _ in range(rounds):
        theirs += _measure(against.resolve(), options)
        ours += _measure(HERE, options)
    for key in dict.fromkeys(_key(run) for run in ours):
        kind, size, with_tls = key
        click.echo(f"\n{kind}, {size} calls{', TLS' if with_tls else ''}: that, this, this / that")
        for name in SHOWN:
            click.echo(_line(name, _median(theirs, key, name), _median(ours, key, name)))


def _measure(checkout: Path, options: Sequence[str]) -> list[Run]:
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "bench.json"
        command = [str(checkout / ".venv/bin/python"), "-m", "bench", *options, "--out", str(out)]
        subprocess.run(command, cwd=checkout, check=True, timeout=LONGEST_RUN_S)
        runs: list[Run] = json.loads(out.read_text("utf-8"))["runs"]
    return runs


def _key(run: Run) -> tuple[str, int, bool]:
    return run["kind"], run["calls"], run["tls"]


def _median(runs: Sequence[Run], key: tuple[str, int, bool], name: str) -> float | None:
    values = [run[name] for run in runs if _key(run) == key and run.get(name) is not None]
    return statistics.median(values) if values else None


def _line(name: str, that: float | None, this: float | None) -> str:
    if that is None or this is None:
        return f"  {name:28} -"
    ratio = f"{this / that:8.2f}" if that else "       -"
    return f"  {name:28} {that:10.2f} {this:10.2f} {ratio}"


if __name__ == "__main__":
    main()
