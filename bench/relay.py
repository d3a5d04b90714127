"""One measured run: N calls through the workers of a host, provider and callers in processes of
their own."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.figures import (
    delays_ms,
    median,
    percentile,
    reactions_ms,
    reference_ms,
    replies_ms,
    sessions_of,
    since_ms,
)
from bench.machine import MachineWatch, Meanwhile, starved
from bench.pauses import PAUSES, longest_ms
from bench.processes import (
    DOMAIN_UUID,
    EXTENSION,
    Process,
    first_json,
    free_port,
    free_ports,
    metrics,
    running,
    seed,
    wait_ready,
)

RAMP_S = 0.04
WARM_UP_CALLS = 2
"""For each worker."""
SETTLE_S = 4.0
"""After the last call's start, before measuring begins."""


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


@dataclass(frozen=True, slots=True)
class Pace:
    """How people talk."""

    name: str
    script: str
    """Of the emulated provider."""
    caller: tuple[str, ...]
    """Options of `load`."""


HEAVY = Pace("heavy", "load", ("--speech", "1.2", "--pause", "1.4"))
"""An answer each 4.6 s, a quarter of them interrupted: twice what people do."""
TALK = Pace("talk", "talk", ("--speech", "3.5", "--pause", "1.6", "--interrupt-every", "8"))
"""An answer each 10 s, one in eight interrupted."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run."""

    kind: Kind
    calls: int
    seconds: float
    pace: Pace = HEAVY
    workers: int = 1
    tls: tuple[str, str] | None = None
    """Certificate and key of the emulated provider."""
    provider: str = "openai"
    """Only OpenAI's emulator stamps what it hears: the others give no uplink."""


@dataclass(slots=True)
class Run:
    """Figures of one run."""

    kind: str
    calls: int
    pace: str
    workers: int
    tls: bool
    seconds: float
    cpu_percent_per_call: float | None
    """Of the workers together; None where it would mean nothing: see `starved`."""
    starved: str
    """Why there is no CPU figure."""
    reference_ms: float
    """A fixed piece of Python work in this minute: how fast the machine was just then."""
    machine_late_ms_p99: float | None
    machine_late_ms_max: float
    load: float
    steal_percent: float
    others_percent: float
    """For these five see `Meanwhile`."""
    worker_cpu_percent: float
    """What was measured, whether or not it means something."""
    provider_cpu_percent: float
    callers_cpu_percent: float
    talk_percent: float
    rss_kb_per_call: float
    uplink_ms_p50: float | None
    uplink_ms_p99: float | None
    first_audio_ms_p50: float | None
    """From the first byte of an answer that is heard to the switch."""
    first_audio_ms_p99: float | None
    reply_ms_p50: float | None
    """From the caller's last word to the answer: the emulated provider's turn detection (300 ms)
    and thinking (50 ms) are in it."""
    interrupted_reply_ms_p50: float | None
    """The same where the caller had interrupted: what he said must be known first."""
    barge_in_ms_p50: float | None
    barge_in_ms_p95: float | None
    answer_to_greeting_ms_p50: float | None
    answer_to_greeting_ms_p95: float | None
    late_frames: float
    gc_pause_ms: float
    """The longest look for garbage; 0 where none took `NOTED_MS`."""
    late_arrivals: int
    """Frames that reached the switch over 40 ms after their time."""
    answered: int
    answers: int


@dataclass(frozen=True, slots=True)
class _Measured:
    """What the processes told."""

    seconds: float
    cpu_s: tuple[float, float, float]
    """Workers, provider, callers."""
    meanwhile: Meanwhile
    rss_kb_per_call: float
    times: list[dict[str, Any]]
    """Of each call, from the callers."""
    stamps: list[dict[str, Any]]
    """Of each session, from the provider."""
    late_frames: float
    gc_pause_ms: float


def measure(dsn: str, plan: Plan) -> Run:
    """Make the calls, let them talk and return the figures."""
    with (
        tempfile.TemporaryDirectory() as directory,
        _provider(plan) as (provider, base_url),
        ExitStack() as stack,
    ):
        seed(dsn, base_url, plan.provider)
        ports = free_ports(plan.workers)
        environ = _environ(dsn, plan, Path(directory), ports[0])
        pauses, workers = Path(directory) / "pauses", []
        for index, port in enumerate(ports):
            worker = running(
                ["-m", "bench.worker", "serve"],
                {**environ, "VOICE_AI_WORKER_INDEX": str(index), PAUSES: str(pauses)},
            )
            workers.append(stack.enter_context(worker))
            wait_ready(workers[-1], port)
        found = _talk(plan, environ, workers, provider, ports, pauses)
    return _figures(plan, found)


def _talk(
    plan: Plan,
    environ: dict[str, str],
    workers: list[Process],
    provider: Process,
    ports: list[int],
    pauses: Path,
) -> _Measured:
    _warm_up(environ, plan)
    idle_kb = _rss_kb(workers)
    with running(_callers(plan, plan.calls, _call_s(plan), *plan.pace.caller), environ) as callers:
        time.sleep(3 + plan.calls * RAMP_S + SETTLE_S)
        busy_kb = _rss_kb(workers)
        groups = (workers, [provider], [callers])
        before, started = [_cpu_s(group) for group in groups], time.monotonic()
        machine = MachineWatch()
        time.sleep(plan.seconds)
        meanwhile = machine.stop()
        after, ended = [_cpu_s(group) for group in groups], time.monotonic()
        out, _ = callers.popen.communicate(timeout=120)
    late = sum(metrics(port).get("voice_ai_realtime_late_frames_total", 0) for port in ports)
    of_worker, of_provider, of_callers = (b - a for a, b in zip(before, after, strict=True))
    return _Measured(
        ended - started,
        (of_worker, of_provider, of_callers),
        meanwhile,
        (busy_kb - idle_kb) / plan.calls,
        json.loads(out)["calls"],
        json.loads(provider.stop().splitlines()[-1])["sessions"],
        late,
        longest_ms(pauses, started, ended),
    )


@contextmanager
def _provider(plan: Plan) -> Iterator[tuple[Process, str]]:
    arguments = [
        "-m", f"esl_controller.simulator.{plan.provider}", "--script", plan.pace.script, "--fast",
        "--stats", "--think-ms", "50",
    ]  # fmt: skip
    if plan.tls is not None:
        arguments += ["--tls-cert", plan.tls[0], "--tls-key", plan.tls[1]]
    with running(arguments) as process:
        yield process, first_json(process)["url"]


def _environ(dsn: str, plan: Plan, directory: Path, media_port: int) -> dict[str, str]:
    values = {
        "DATABASE_DSN": dsn,
        "ESL_PORT": str(free_port()),
        "ESL_CAPACITY": "500",
        "MEDIA_PORT": str(media_port),
        "PROVIDER_ALLOWED_HOSTS": "127.0.0.1,localhost",
        "STORAGE_STATE_DIR": str(directory),
        "WORKER_COUNT": str(plan.workers),
        "WORKER_DRAIN_DEADLINE_S": "0",
        "LOG_LEVEL": "error",
        **{f"MEDIA_{name}": value for name, value in plan.kind.media.items()},
    }
    if plan.tls is not None:
        values["PROVIDER_CA_FILE"] = plan.tls[0]
    return {f"VOICE_AI_{name}": value for name, value in values.items()}


def _warm_up(environ: dict[str, str], plan: Plan) -> None:
    """Short calls, so that nothing is measured that happens once per process."""
    with running(_callers(plan, WARM_UP_CALLS * plan.workers, 3.0), environ) as process:
        process.popen.communicate(timeout=60)


def _callers(plan: Plan, calls: int, length_s: float, *options: str) -> list[str]:
    return [
        "-m", "esl_controller", "load", "--json",
        "--calls", str(calls), "--seconds", str(length_s), "--ramp", str(RAMP_S),
        "--codec", plan.kind.codec, "--edition", plan.kind.edition,
        "--domain", DOMAIN_UUID, "--extension", EXTENSION, *options,
    ]  # fmt: skip


def _cpu_s(processes: list[Process]) -> float:
    return sum(process.cpu_s() for process in processes)


def _rss_kb(processes: list[Process]) -> float:
    return sum(process.rss_kb() for process in processes)


@dataclass(slots=True)
class _Delays:
    """Milliseconds of all calls."""

    uplink: list[float]
    first: list[float]
    barge_in: list[float]
    waited: list[float]
    interrupted: list[float]


def _delays(plan: Plan, found: _Measured) -> _Delays:
    delays = _Delays([], [], [], [], [])
    warm_up = WARM_UP_CALLS * plan.workers
    sessions = [_stamps(session) for session in found.stamps[warm_up:]]
    matched = sessions_of(
        [call["loud_at"] for call in found.times], [stamps["loud"] for stamps in sessions]
    )
    for call, number in zip(found.times, matched, strict=True):
        if number is None or call["answered_at"] is None:
            continue
        stamps, begins, ends = sessions[number], call["audio_from"], call["audio_until"]
        delays.uplink += delays_ms(call["loud_at"], stamps["loud"])
        # The greeting is ready before the line is open: its wait has a figure of its own.
        delays.first += since_ms(begins[1:], stamps["first_delta"])
        delays.barge_in += reactions_ms(stamps["speech_started"], begins, ends)
        words = list(zip(call["loud_at"], call["quiet_at"], strict=False))
        waited, interrupted = replies_ms(words, begins, ends)
        delays.waited += waited
        delays.interrupted += interrupted
    return delays


def _figures(plan: Plan, found: _Measured) -> Run:
    delays, times, meanwhile = _delays(plan, found), found.times, found.meanwhile
    greeting = [
        (call["audio_from"][0] - call["answered_at"]) * 1000
        for call in times
        if call["audio_from"] and call["answered_at"]
    ]
    talk_s = sum(call["arrivals"] for call in times) * 0.02
    percent = [100 * used / found.seconds for used in found.cpu_s]
    late_arrivals = sum(call["late_arrivals"] for call in times)
    uplink_p99, first_p99 = percentile(delays.uplink, 99), percentile(delays.first, 99)
    why = starved(meanwhile, late_arrivals, uplink_p99, first_p99)
    return Run(
        kind=plan.kind.name,
        calls=plan.calls,
        pace=plan.pace.name,
        workers=plan.workers,
        tls=plan.tls is not None,
        seconds=found.seconds,
        cpu_percent_per_call=None if why else percent[0] / plan.calls,
        starved=why,
        reference_ms=reference_ms(),
        machine_late_ms_p99=meanwhile.late_ms_p99,
        machine_late_ms_max=meanwhile.late_ms_max,
        load=meanwhile.load,
        steal_percent=meanwhile.steal_percent,
        others_percent=meanwhile.others_percent,
        worker_cpu_percent=percent[0],
        provider_cpu_percent=percent[1],
        callers_cpu_percent=percent[2],
        talk_percent=100 * talk_s / (len(times) * _call_s(plan)),
        rss_kb_per_call=found.rss_kb_per_call,
        uplink_ms_p50=median(delays.uplink),
        uplink_ms_p99=uplink_p99,
        first_audio_ms_p50=median(delays.first),
        first_audio_ms_p99=first_p99,
        reply_ms_p50=median(delays.waited),
        interrupted_reply_ms_p50=median(delays.interrupted),
        barge_in_ms_p50=median(delays.barge_in),
        barge_in_ms_p95=percentile(delays.barge_in, 95),
        answer_to_greeting_ms_p50=median(greeting),
        answer_to_greeting_ms_p95=percentile(greeting, 95),
        late_frames=found.late_frames,
        gc_pause_ms=found.gc_pause_ms,
        late_arrivals=late_arrivals,
        answered=sum(call["answered_at"] is not None for call in times),
        answers=sum(len(call["audio_from"]) for call in times),
    )


def _call_s(plan: Plan) -> float:
    """How long each call lasts."""
    return plan.calls * RAMP_S + SETTLE_S + plan.seconds + 3


def _stamps(session: dict[str, Any]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"loud": [], "first_delta": [], "speech_started": []}
    for name, moment in session.get("stamps", ()):
        found.setdefault(name, []).append(moment)
    return found


def as_dict(run: Run) -> dict[str, Any]:
    """For JSON."""
    return {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(run).items()}
