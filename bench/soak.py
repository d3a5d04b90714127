"""`python -m bench.soak`: 10,000 short calls through one worker, and what they leave behind.

The worker, the provider and the callers each have a process of their own.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from pathlib import Path  # noqa: E402

import click  # noqa: E402
import gevent  # noqa: E402
from gevent.pool import Pool  # noqa: E402

from bench.figures import percentile  # noqa: E402
from bench.processes import (  # noqa: E402
    DOMAIN_UUID,
    EXTENSION,
    Process,
    database,
    first_json,
    free_port,
    running,
    seed,
    wait_ready,
)
from bench.soak_worker import NO_GC  # noqa: E402
from esl_controller.simulator.caller import Caller  # noqa: E402
from esl_controller.simulator.switch.channel import ChannelOptions  # noqa: E402
from esl_controller.simulator.switch.core import Switch, SwitchConfig  # noqa: E402
from esl_controller.simulator.switch.quirks import CALM  # noqa: E402

WARM_UP = 500
"""Calls after which a process has made what it makes once."""
MAX_GARBAGE = 1000
"""Objects left for the collector, whatever the number of calls."""
MAX_GROWTH_KB = 5 * 1024
"""Of resident memory after the warm-up, over all calls."""


@dataclass
class Heard:
    """What became of short calls; milliseconds, one number for each call that came so far."""

    calls: int
    call_s: float
    rang: list[float] = field(default_factory=list)
    """From the call to the answer."""
    waited: list[float] = field(default_factory=list)
    """From the answer to the first sound."""

    @property
    def talked(self) -> int:
        """Calls in which the agent was heard."""
        return len(self.waited)

    def add(self, began: float, caller: Caller) -> None:
        """One call that is over; it began at `began`, monotonic seconds."""
        first = caller.hearing.first_sound_at()
        if caller.answered_at is not None:
            self.rang.append((caller.answered_at - began) * 1000)
        if caller.answered_at is not None and first is not None:
            self.waited.append((first - caller.answered_at) * 1000)

    def told(self, seconds: float) -> str:
        """In words."""
        rang = " and ".join(f"{percentile(self.rang, share) or 0:.0f}" for share in (50, 95))
        waited = " and ".join(f"{percentile(self.waited, share) or 0:.0f}" for share in (50, 95))
        lines = [
            f"{self.talked} of {self.calls} callers heard the agent, "
            f"{self.calls / seconds:.0f} calls a second",
            f"answered after {rang} ms, heard {waited} ms later (p50 and p95)",
        ]
        if self.talked < self.calls:
            lines.append(
                f"of the others {self.calls - len(self.rang)} were not answered, and "
                f"{len(self.rang) - self.talked} hung up {self.call_s * 1000:.0f} ms after the "
                "answer, sooner than they heard something: so many calls at once were more than "
                f"the machine had room for (load {os.getloadavg()[0]:.0f}, {os.cpu_count()} cores)"
            )
        return "\n".join(lines)


def short_calls(
    switch: Switch,
    address: tuple[str, int],
    calls: int,
    *,
    at_once: int,
    call_s: float,
    domain_uuid: str = DOMAIN_UUID,
    extension: str = EXTENSION,
    on_ended: Callable[[], None] = lambda: None,
) -> Heard:
    """Make `calls` calls, `at_once` at a time, each hung up `call_s` after the answer.

    They begin one after the other: those that begin together go on doing so, and each then waits
    until the worker has set up all the others.
    """
    heard = Heard(calls, call_s)

    def call(number: int) -> None:
        began = time.monotonic()
        caller = Caller(keep_audio=False)
        options = ChannelOptions(
            domain_uuid=domain_uuid,
            destination_number=extension,
            caller_id_number=f"5551{number:06d}",
        )
        leg = switch.originate_to_controller(*address, caller=caller, channel=options)
        if leg.answered.wait(20):
            gevent.sleep(call_s)
        caller.hang_up()
        leg.ended.wait(20)
        heard.add(began, caller)
        on_ended()

    pool = Pool(at_once)
    for number in range(calls):
        pool.spawn(call, number)
        if number < at_once:
            gevent.sleep(call_s / at_once)
    pool.join()
    return heard


def ask(worker: Process) -> dict[str, int]:
    """What the worker holds now that its calls are over."""
    time.sleep(3.0)
    worker.popen.send_signal(signal.SIGUSR1)
    return {name: int(value) for name, value in first_json(worker).items()}


@click.command()
@click.option("--calls", default=10_000, show_default=True)
@click.option("--at-once", default=40, show_default=True)
@click.option("--call-seconds", "call_s", default=0.5, show_default=True)
@click.option("--no-gc", is_flag=True, help="Count what the calls leave for the collector.")
@click.option("--out", default="build/soak.json", type=click.Path(path_type=Path))
def main(calls: int, at_once: int, call_s: float, no_gc: bool, out: Path) -> None:
    """Make short calls and say what the worker held before and after them."""
    with tempfile.TemporaryDirectory(prefix="soak") as directory:
        Path(directory).chmod(0o755)  # PostgreSQL runs as a user of its own
        with database(Path(directory) / "pg") as dsn:
            figures = _soak(dsn, Path(directory), calls, at_once, call_s, no_gc=no_gc)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n")
    if not figures["clean"]:
        raise SystemExit("something was left behind")


def _soak(
    dsn: str, directory: Path, calls: int, at_once: int, call_s: float, *, no_gc: bool
) -> dict[str, object]:
    provider_arguments = ["-m", "esl_controller.simulator.openai", "--script", "load", "--fast"]
    with running(provider_arguments) as provider:
        seed(dsn, first_json(provider)["url"])
        esl_port, media_port = free_port(), free_port()
        environ = {
            "VOICE_AI_DATABASE_DSN": dsn,
            "VOICE_AI_ESL_PORT": str(esl_port),
            "VOICE_AI_MEDIA_PORT": str(media_port),
            "VOICE_AI_PROVIDER_ALLOWED_HOSTS": "127.0.0.1",
            "VOICE_AI_STORAGE_STATE_DIR": str(directory),
            "VOICE_AI_WORKER_DRAIN_DEADLINE_S": "0",
            "VOICE_AI_LOG_LEVEL": "error",
            **({NO_GC: "1"} if no_gc else {}),
        }
        with running(["-m", "bench.soak_worker"], environ) as worker:
            wait_ready(worker, media_port)
            with Switch(SwitchConfig(quirks=CALM, temp_dir=directory)) as switch:
                address = ("127.0.0.1", esl_port)
                short_calls(switch, address, WARM_UP, at_once=at_once, call_s=call_s)
                before, began = ask(worker), time.monotonic()
                click.echo(f"after {WARM_UP} calls  {before}")
                heard = _with_progress(switch, address, calls, at_once, call_s)
                took_s = time.monotonic() - began
                after = ask(worker)
    click.echo(f"after {calls} more  {after}")
    click.echo(heard.told(took_s))
    held = ("greenlets", "sockets", "sessions", "calls")
    growth_kb = after["rss_kb"] - before["rss_kb"]
    clean = all(after[name] <= before[name] for name in held) and growth_kb <= MAX_GROWTH_KB
    if no_gc:
        clean = clean and after["garbage"] <= MAX_GARBAGE
    return {
        "calls": calls,
        "talked": heard.talked,
        "ring_ms_p50": percentile(heard.rang, 50),
        "ring_ms_p95": percentile(heard.rang, 95),
        "answer_to_sound_ms_p50": percentile(heard.waited, 50),
        "answer_to_sound_ms_p95": percentile(heard.waited, 95),
        "seconds": took_s,
        "before": before,
        "after": after,
        "rss_growth_kb": growth_kb,
        "clean": clean,
    }


def _with_progress(
    switch: Switch, address: tuple[str, int], calls: int, at_once: int, call_s: float
) -> Heard:
    with click.progressbar(length=calls, label=f"{calls} calls") as bar:
        return short_calls(
            switch,
            address,
            calls,
            at_once=at_once,
            call_s=call_s,
            on_ended=lambda: bar.update(1),
        )


if __name__ == "__main__":
    main()
