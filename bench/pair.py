"""`python -m bench --reference DIR`: this checkout and another, by turns, and their ratios.

CPU figures of one machine differ by up to two between a busy minute and a quiet one, so only runs
made right after one another compare. Where the machine's pace changes from one minute to the next
(a virtual one's does) even these do not: then `--together` measures both at the same time, and the
ratio of CPU holds, while each is in the other's way with all that is late. Each checkout is
measured by its own bench with its own interpreter (`.venv/bin/python`), as if its user had run it.
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
import gevent

from bench.machine import STARVED_MS

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
    "gc_pause_ms",
    "machine_late_ms_p99",
)
LONGEST_RUN_S = 600.0

Run = dict[str, Any]


def compare(
    reference: Path, options: Sequence[str], rounds: int, *, together: bool = False
) -> None:
    """Measure this checkout and `reference`; print what each costs, and the ratios."""
    that = reference.resolve()
    pairs: list[tuple[list[Run], list[Run]]] = []
    for number in range(rounds):
        # Whoever comes second finds a warmer or a busier machine: each is it every other time.
        order = (that, HERE) if number % 2 == 0 else (HERE, that)
        found = _at_once(order, options) if together else _by_turns(order, options)
        pairs.append((found[that], found[HERE]))
    for key in dict.fromkeys(_key(run) for _, ours in pairs for run in ours):
        kind, size, with_tls = key
        title = f"{kind}, {size} calls{', TLS' if with_tls else ''}"
        click.echo(f"\n{title}: medians of that and this, median of this / that (of so many)")
        for name in SHOWN:
            click.echo(_line(name, _values(pairs, key, name)))


def _by_turns(checkouts: Sequence[Path], options: Sequence[str]) -> dict[Path, list[Run]]:
    return {checkout: _measure(checkout, options) for checkout in checkouts}


def _at_once(checkouts: Sequence[Path], options: Sequence[str]) -> dict[Path, list[Run]]:
    measuring = {checkout: gevent.spawn(_measure, checkout, options) for checkout in checkouts}
    return {checkout: greenlet.get() for checkout, greenlet in measuring.items()}


def _measure(checkout: Path, options: Sequence[str]) -> list[Run]:
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "bench.json"
        command = [str(checkout / ".venv/bin/python"), "-m", "bench", *options, "--out", str(out)]
        subprocess.run(command, cwd=checkout, check=True, timeout=LONGEST_RUN_S)
        runs: list[Run] = json.loads(out.read_text("utf-8"))["runs"]
    return runs


def _key(run: Run) -> tuple[str, int, bool]:
    return run["kind"], run["calls"], run["tls"]


def spoilt(run: Run) -> bool:
    """Its CPU means nothing, whatever the bench of that checkout thinks: see `bench.machine`."""
    late_ms = (run.get(f"{name}_ms_p99") or 0.0 for name in ("uplink", "machine_late"))
    return bool(run["late_arrivals"]) or max(late_ms) > STARVED_MS


def _values(
    pairs: Sequence[tuple[list[Run], list[Run]]], key: tuple[str, int, bool], name: str
) -> list[tuple[float, float]]:
    """Of both, from each round in which both have it."""
    found = []
    for theirs, ours in pairs:
        (that,) = [run for run in theirs if _key(run) == key]
        (this,) = [run for run in ours if _key(run) == key]
        disturbed = name.startswith("cpu") and (spoilt(that) or spoilt(this))
        if not disturbed and that.get(name) is not None and this.get(name) is not None:
            found.append((float(that[name]), float(this[name])))
    return found


def _line(name: str, values: Sequence[tuple[float, float]]) -> str:
    if not values:
        return f"  {name:28} - (disturbed, or not measured)"
    that, this = (statistics.median(column) for column in zip(*values, strict=True))
    ratios = [ours / theirs for theirs, ours in values if theirs]
    ratio = f"{statistics.median(ratios):8.2f}" if ratios else "       -"
    return f"  {name:28} {that:10.2f} {this:10.2f} {ratio}   ({len(values)})"
