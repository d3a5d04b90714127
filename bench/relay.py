"""One measured run: N calls through one worker, provider and callers in processes of their own."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.figures import (
    delays_ms,
    median,
    percentile,
    reactions_ms,
    reference_ms,
    sessions_of,
)
from bench.processes import (
    DOMAIN_UUID,
    EXTENSION,
    MachineWatch,
    Process,
    first_json,
    free_port,
    metrics,
    running,
    seed,
    wait_ready,
)

RAMP_S = 0.04
SETTLE_S = 4.0
"""After the last call's start, before measuring begins."""


STARVED_MS = 20.0
"""An idle process woken later than this, at p99: the machine had other work. A worker that
gets its frames in heaps looks cheaper than it is, and one that waits for a core dearer."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What kind of calls."""

    name: str
    codec: str
    edition: str
    media: dict[str, str]


PCM = Kind(
    "pcm",
    "L16",
    "binary",
    {"PLAYBACK": "binary", "FLAVOUR": "cloudfieldcz", "STREAM_RATE_HZ": "16000"},
)
"""16 kHz PCM both ways, 24 kHz at the provider: resampling in both directions."""
G711 = Kind("g711", "PCMU", "open", {"PLAYBACK": "auto"})
"""PCMU end to end: mod_audio_stream in, unicast out, no resampling."""


@dataclass(slots=True)
class Run:
    """Figures of one run."""

    kind: str
    calls: int
    tls: bool
    seconds: float
    cpu_percent_per_call: float | None
    """None where the machine was too busy for CPU figures to mean anything: see `STARVED_MS`."""
    reference_ms: float
    """A fixed piece of Python work in this minute: how fast the machine was just then."""
    machine_late_ms_p99: float | None
    """How late an idle process of the same machine was woken meanwhile."""
    machine_late_ms_max: float
    worker_cpu_percent: float
    provider_cpu_percent: float
    callers_cpu_percent: float
    talk_percent: float
    rss_kb_per_call: float
    uplink_ms_p50: float | None
    uplink_ms_p99: float | None
    first_audio_ms_p50: float | None
    first_audio_ms_p99: float | None
    barge_in_ms_p50: float | None
    barge_in_ms_p95: float | None
    answer_to_greeting_ms_p50: float | None
    answer_to_greeting_ms_p95: float | None
    late_frames: float
    late_arrivals: int
    """Frames that reached the switch over 40 ms after their time."""
    answered: int
    answers: int


def measure(
    dsn: str,
    kind: Kind,
    calls: int,
    seconds: float,
    tls: tuple[str, str] | None = None,
    provider_kind: str = "openai",
) -> Run:
    """Make `calls` calls, let them talk for `seconds` and return the figures.

    Only OpenAI's emulator stamps what it hears: the others give no uplink.
    """
    with (
        tempfile.TemporaryDirectory() as directory,
        _provider(provider_kind, tls) as (provider, base_url),
    ):
        seed(dsn, base_url, provider_kind)
        esl_port, media_port = free_port(), free_port()
        environ = _environ(dsn, kind, Path(directory), esl_port, media_port, tls)
        with running(["-m", "esl_controller", "serve"], environ) as worker:
            wait_ready(worker, media_port)
            _warm_up(environ, kind)
            idle_kb = worker.rss_kb()
            length_s = calls * RAMP_S + SETTLE_S + seconds + 3
            arguments = [
                "-m", "esl_controller", "load", "--json",
                "--calls", str(calls), "--seconds", str(length_s), "--ramp", str(RAMP_S),
                "--codec", kind.codec, "--edition", kind.edition,
                "--domain", DOMAIN_UUID, "--extension", EXTENSION,
            ]  # fmt: skip
            with running(arguments, environ) as callers:
                time.sleep(3 + calls * RAMP_S + SETTLE_S)
                busy_kb = worker.rss_kb()
                before, started = _cpu(worker, provider, callers), time.monotonic()
                machine = MachineWatch()
                time.sleep(seconds)
                machine_late_ms = machine.stop()
                after, ended = _cpu(worker, provider, callers), time.monotonic()
                out, _ = callers.popen.communicate(timeout=120)
            counted = metrics(media_port)
        stats = json.loads(provider.stop().splitlines()[-1])
    return _figures(
        kind,
        calls,
        tls is not None,
        ended - started,
        [b - a for a, b in zip(before, after, strict=True)],
        machine_late_ms,
        (busy_kb - idle_kb) / calls,
        json.loads(out)["calls"],
        stats,
        counted,
    )


@contextmanager
def _provider(kind: str, tls: tuple[str, str] | None) -> Iterator[tuple[Process, str]]:
    arguments = [
        "-m", f"esl_controller.simulator.{kind}", "--script", "load", "--fast", "--stats",
        "--think-ms", "50",
    ]  # fmt: skip
    if tls is not None:
        arguments += ["--tls-cert", tls[0], "--tls-key", tls[1]]
    with running(arguments) as process:
        yield process, first_json(process)["url"]


def _environ(
    dsn: str,
    kind: Kind,
    directory: Path,
    esl_port: int,
    media_port: int,
    tls: tuple[str, str] | None,
) -> dict[str, str]:
    values = {
        "DATABASE_DSN": dsn,
        "ESL_PORT": str(esl_port),
        "ESL_CAPACITY": "500",
        "MEDIA_PORT": str(media_port),
        "PROVIDER_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "STORAGE_STATE_DIR": str(directory),
        "WORKER_DRAIN_DEADLINE_S": "0",
        "LOG_LEVEL": "error",
        **{f"MEDIA_{name}": value for name, value in kind.media.items()},
    }
    if tls is not None:
        values["PROVIDER_CA_FILE"] = tls[0]
    return {f"VOICE_AI_{name}": value for name, value in values.items()}


def _warm_up(environ: dict[str, str], kind: Kind) -> None:
    """One short call, so that nothing is measured that happens once per process."""
    arguments = [
        "-m", "esl_controller", "load", "--json", "--calls", "2", "--seconds", "3",
        "--codec", kind.codec, "--edition", kind.edition,
        "--domain", DOMAIN_UUID, "--extension", EXTENSION,
    ]  # fmt: skip
    with running(arguments, environ) as process:
        process.popen.communicate(timeout=60)


def _cpu(*processes: Process) -> list[float]:
    return [process.cpu_s() for process in processes]


def _figures(
    kind: Kind,
    calls: int,
    tls: bool,
    seconds: float,
    cpu_s: list[float],
    machine_late_ms: list[float],
    rss_kb_per_call: float,
    times: list[dict[str, Any]],
    stats: dict[str, Any],
    counted: dict[str, float],
) -> Run:
    uplink: list[float] = []
    first: list[float] = []
    barge_in: list[float] = []
    sessions = [_stamps(session) for session in stats["sessions"][2:]]
    matched = sessions_of(
        [call["loud_at"] for call in times], [stamps["loud"] for stamps in sessions]
    )
    for call, number in zip(times, matched, strict=True):
        if number is None or call["answered_at"] is None:
            continue
        stamps = sessions[number]
        uplink += delays_ms(call["loud_at"], stamps["loud"])
        # The greeting is ready before the line is open: its wait has a figure of its own.
        answers = [moment for moment in stamps["first_delta"] if moment > call["answered_at"]]
        first += delays_ms(answers, call["audio_from"])
        barge_in += reactions_ms(stamps["speech_started"], call["audio_from"], call["audio_until"])
    greeting = [
        (call["audio_from"][0] - call["answered_at"]) * 1000
        for call in times
        if call["audio_from"] and call["answered_at"]
    ]
    talk_s = sum(call["arrivals"] for call in times) * 0.02
    percent = [100 * used / seconds for used in cpu_s]
    late_ms = percentile(machine_late_ms, 99)
    starved = late_ms is None or late_ms > STARVED_MS
    return Run(
        kind=kind.name,
        calls=calls,
        tls=tls,
        seconds=seconds,
        cpu_percent_per_call=None if starved else percent[0] / calls,
        reference_ms=reference_ms(),
        machine_late_ms_p99=late_ms,
        machine_late_ms_max=max(machine_late_ms),
        worker_cpu_percent=percent[0],
        provider_cpu_percent=percent[1],
        callers_cpu_percent=percent[2],
        talk_percent=100 * talk_s / sum(_length_s(call) for call in times),
        rss_kb_per_call=rss_kb_per_call,
        uplink_ms_p50=median(uplink),
        uplink_ms_p99=percentile(uplink, 99),
        first_audio_ms_p50=median(first),
        first_audio_ms_p99=percentile(first, 99),
        barge_in_ms_p50=median(barge_in),
        barge_in_ms_p95=percentile(barge_in, 95),
        answer_to_greeting_ms_p50=median(greeting),
        answer_to_greeting_ms_p95=percentile(greeting, 95),
        late_frames=counted.get("voice_ai_realtime_late_frames_total", 0),
        late_arrivals=sum(call["late_arrivals"] for call in times),
        answered=sum(call["answered_at"] is not None for call in times),
        answers=sum(len(call["audio_from"]) for call in times),
    )


def _length_s(call: dict[str, Any]) -> float:
    times = call["audio_until"] or call["audio_from"] or [0.0]
    return max(1.0, times[-1] - (call["answered_at"] or times[-1]))


def _stamps(session: dict[str, Any]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"loud": [], "first_delta": [], "speech_started": []}
    for name, moment in session.get("stamps", ()):
        found.setdefault(name, []).append(moment)
    return found


def as_dict(run: Run) -> dict[str, Any]:
    """For JSON."""
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(run).items()}
