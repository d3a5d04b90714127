"""`make bench`: what one worker costs and how late it is; prints a table, writes bench.json."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

import click  # noqa: E402

from bench import relay  # noqa: E402
from bench.processes import database  # noqa: E402

TLS = Path(__file__).parents[1] / "tests" / "wire" / "ws" / "tls"
"""The tests' own certificate for loopback."""
COLUMNS = (
    ("kind", "kind"),
    ("calls", "calls"),
    ("CPU %/call", "cpu_percent_per_call"),
    ("uplink p50", "uplink_ms_p50"),
    ("p99", "uplink_ms_p99"),
    ("first p50", "first_audio_ms_p50"),
    ("p99", "first_audio_ms_p99"),
    ("barge p95", "barge_in_ms_p95"),
    ("greet p95", "answer_to_greeting_ms_p95"),
    ("late", "late_frames"),
    ("late rx", "late_arrivals"),
    ("kB/call", "rss_kb_per_call"),
    ("talk %", "talk_percent"),
    ("ref ms", "reference_ms"),
    ("mach p99", "machine_late_ms_p99"),
    ("mach max", "machine_late_ms_max"),
    ("worker", "worker_cpu_percent"),
    ("provider", "provider_cpu_percent"),
    ("callers", "callers_cpu_percent"),
)


@click.command()
@click.option("--calls", default="10,50,100,200", show_default=True, help="Sizes of the runs.")
@click.option("--seconds", default=30.0, show_default=True, help="Measured time of each run.")
@click.option("--kinds", default="pcm,g711", show_default=True)
@click.option(
    "--provider",
    default="openai",
    show_default=True,
    type=click.Choice(["openai", "elevenlabs", "gemini"]),
    help="Whose emulator the calls talk to.",
)
@click.option("--tls/--no-tls", default=True, help="Also with TLS to the provider, at 100 calls.")
@click.option("--out", default="build/bench.json", type=click.Path(path_type=Path))
def main(calls: str, seconds: float, kinds: str, provider: str, tls: bool, out: Path) -> None:
    """Measure one worker with the simulator in processes of its own."""
    chosen = [kind for kind in (relay.PCM, relay.G711) if kind.name in kinds.split(",")]
    plan: list[tuple[relay.Kind, int, tuple[str, str] | None]]
    plan = [(kind, int(n), None) for n in calls.split(",") for kind in chosen]
    if tls and provider == "openai":
        plan += [
            (kind, 100, (str(TLS / "localhost.pem"), str(TLS / "localhost.key"))) for kind in chosen
        ]
    runs = []
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        Path(directory).chmod(0o755)  # PostgreSQL runs as a user of its own
        with database(Path(directory) / "pg") as dsn:
            click.echo(_row([title for title, _ in COLUMNS]))
            for kind, number, certificate in plan:
                measured = relay.measure(dsn, kind, number, seconds, certificate, provider)
                run = relay.as_dict(measured)
                runs.append(run)
                click.echo(_row([run[key] for _, key in COLUMNS]) + ("  tls" if run["tls"] else ""))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({**_headline(runs), "runs": runs}, indent=1) + "\n")
    click.echo(f"{out} written")


def _headline(runs: list[dict[str, object]]) -> dict[str, object]:
    """The figures of the run with 100 calls (the largest, where that was not made)."""
    plain = [run for run in runs if not run["tls"]]
    size = max((int(str(r["calls"])) for r in plain if int(str(r["calls"])) <= 100), default=0)
    picked = {str(run["kind"]): run for run in plain if run["calls"] == size}
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
