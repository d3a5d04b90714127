"""`python -m bench.soak`: thousands of short calls; what do they leave behind?"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import click  # noqa: E402
import psutil  # noqa: E402

from bench.processes import (  # noqa: E402
    DOMAIN_UUID,
    EXTENSION,
    Process,
    database,
    first_json,
    free_port,
    metrics,
    running,
    seed,
    wait_ready,
)

BATCH = 500
RAMP_S = 0.03
SETTLE_S = 3.0


@click.command()
@click.option("--calls", default=10_000, show_default=True)
@click.option("--seconds", default=1.5, show_default=True, help="Length of each call.")
@click.option("--codec", default="PCMU", show_default=True)
def main(calls: int, seconds: float, codec: str) -> None:
    """Make CALLS short calls, in batches, and compare the worker before and after."""
    with tempfile.TemporaryDirectory(prefix="soak") as directory:
        Path(directory).chmod(0o755)  # PostgreSQL runs as a user of its own
        esl_port, media_port = free_port(), free_port()
        with (
            database(Path(directory) / "pg") as dsn,
            running(
                ["-m", "esl_controller.simulator.openai", "--script", "load", "--fast"]
            ) as provider,
        ):
            seed(dsn, first_json(provider)["url"])
            environ = {
                "VOICE_AI_DATABASE_DSN": dsn,
                "VOICE_AI_ESL_PORT": str(esl_port),
                "VOICE_AI_ESL_CAPACITY": "500",
                "VOICE_AI_MEDIA_PORT": str(media_port),
                "VOICE_AI_STORAGE_STATE_DIR": directory,
                "VOICE_AI_LOG_LEVEL": "error",
            }
            with running(["-m", "esl_controller", "serve"], environ) as worker:
                wait_ready(media_port)
                _soak(worker, environ, media_port, calls, seconds, codec)


def _soak(
    worker: Process, environ: dict[str, str], port: int, calls: int, seconds: float, codec: str
) -> None:
    batch = min(BATCH, calls)
    _batch(environ, batch, seconds, codec)  # warms up what is made once
    before, made, answered = _state(worker, port), 0, 0
    click.echo(_line(0, 0, before))
    while made < calls:
        answered += _batch(environ, min(batch, calls - made), seconds, codec)
        made += min(batch, calls - made)
        click.echo(_line(made, answered, _state(worker, port)))
    after = _state(worker, port)
    grown = {name: after[name] - before[name] for name in before}
    click.echo(json.dumps({"calls": made, "answered": answered, "grown": grown}))


def _batch(environ: dict[str, str], calls: int, seconds: float, codec: str) -> int:
    arguments = [
        "-m", "esl_controller", "load", "--json", "--calls", str(calls),
        "--seconds", str(seconds), "--ramp", str(RAMP_S), "--codec", codec,
        "--domain", DOMAIN_UUID, "--extension", EXTENSION, "--interrupt-every", "2",
    ]  # fmt: skip
    with running(arguments, environ) as process:
        out, _ = process.popen.communicate(timeout=300)
    return sum(call["answered_at"] is not None for call in json.loads(out))


def _state(worker: Process, port: int) -> dict[str, float]:
    """What must not grow."""
    time.sleep(SETTLE_S)
    counted = metrics(port)
    process = psutil.Process(worker.popen.pid)
    return {
        "rss_kb": round(worker.rss_kb()),
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
        "sessions": counted["voice_ai_realtime_active_sessions"],
    }


def _line(made: int, answered: int, state: dict[str, float]) -> str:
    values = "  ".join(f"{name} {value:.0f}" for name, value in state.items())
    return f"{made:>6} calls  {answered:>6} answered  {values}"


if __name__ == "__main__":
    main()
