"""How soon each provider answers, how much of that is ours, and what a call costs in CPU."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import gevent
from gevent import subprocess as green_subprocess

from bridge.audio.pacer import Pacer
from bridge.playout.pacer_timer import PacerClock
from bridge.providers import base as p
from bridge.providers.host import Network
from bridge.wire.dialling import Dialler
from esl_controller.database.models import ProviderAccess, RealtimeProviderConfig
from esl_controller.settings.types import Secret
from esl_controller.simulator.bench.delay import DelayedService
from esl_controller.simulator.bench.telephone import Answered, Telephone
from esl_controller.simulator.speech import Clip, recording
from esl_controller.tenants.hosts import ProviderHosts
from esl_controller.tenants.providers import provider_protocol

GREETING = "Good morning."
STAGGER_S = 0.23
"""Between two calls' starts: they shall not ask all at once."""
START_LIMIT_S = 20.0
EMULATED: Mapping[str, Mapping[str, object]] = {
    "elevenlabs": {"agent_id": "bench"},
    "custom": {"tts": "tones"},
}
"""`provider_settings` of the emulated ones."""

KEYS: Mapping[str, str] = {
    "openai": "bench-key",
    "gemini": "bench-key",
    "custom": "stt=bench-key,chat=bench-key",
    "elevenlabs": "",  # a public agent: no address is signed
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    calls: int = 3
    """At once."""
    turns: int = 5
    delay_s: float = 0.02
    """Of the emulated network, each way."""


@dataclass(slots=True)
class Figures:
    """Of one provider; times in milliseconds, None where nothing was measured."""

    provider: str
    real: bool
    answers: int = 0
    unanswered: int = 0
    ready_ms: float | None = None
    """From dialling to the settings taken, median."""
    greeting_ms: float | None = None
    """From dialling to the greeting in the caller's ear, median."""
    answer_p50_ms: float | None = None
    """Caller's last word to the first sound in the ear."""
    answer_p95_ms: float | None = None
    provider_p50_ms: float | None = None
    """Caller's last word to the answer's first byte here: the network is in it."""
    ours_p50_ms: float | None = None
    """The answer's first byte to the caller's ear."""
    ours_p95_ms: float | None = None
    cpu_percent: float | None = None
    """Of a core, for one call; the caller's side is in it."""
    stages_ms: dict[str, float] = field(default_factory=dict)
    """Medians: hearing, and then by channel until its first message, speech last."""
    troubles: list[str] = field(default_factory=list)
    usage: list[p.Usage] = field(default_factory=list)


def clips(turns: int) -> list[Clip]:
    """What the caller asks: a recorded voice without a pause that might end its turn."""
    return [recording("go_forward")] * turns


def measure(
    kind: str, make: Callable[[], p.ProviderProtocol], network: Network, plan: Plan, *, real: bool
) -> Figures:
    """Hold the calls of one provider; waits for all of them."""
    pacer = Pacer()
    clock = PacerClock(pacer)
    clock.start()
    calls = [
        Telephone(
            make,
            kind,
            clips(plan.turns),
            pacer=pacer,
            network=network,
            greeting=GREETING,
            number=number,
        )
        for number in range(plan.calls)
    ]
    began, cpu_s = time.monotonic(), time.process_time()
    running = [gevent.spawn_later(n * STAGGER_S, call.run) for n, call in enumerate(calls)]
    gevent.joinall(running, raise_error=True)
    cpu_s, wall_s = time.process_time() - cpu_s, time.monotonic() - began
    clock.stop()
    found = figures(kind, calls, real=real)
    found.cpu_percent = 100 * cpu_s / wall_s / plan.calls
    return found


def figures(kind: str, calls: Sequence[Telephone], *, real: bool) -> Figures:
    """What the calls show."""
    answers = [answer for call in calls for answer in call.answers]
    heard = [answer for answer in answers if answer.heard_at and answer.first_byte_at]
    waits = [1000 * ((a.heard_at or 0.0) - a.asked_at) for a in heard]
    ours = [1000 * ((a.heard_at or 0.0) - (a.first_byte_at or 0.0)) for a in heard]
    theirs = [1000 * ((a.first_byte_at or 0.0) - a.asked_at) for a in heard]
    ready = [1000 * (c.owner.ready_at - c.began_at) for c in calls if c.owner.ready_at]
    greeted = [1000 * (c.greeted_at - c.began_at) for c in calls if c.greeted_at]
    return Figures(
        provider=kind,
        real=real,
        answers=len(heard),
        unanswered=len(answers) - len(heard),
        ready_ms=_median(ready),
        greeting_ms=_median(greeted),
        answer_p50_ms=_median(waits),
        answer_p95_ms=_p95(waits),
        provider_p50_ms=_median(theirs),
        ours_p50_ms=_median(ours),
        ours_p95_ms=_p95(ours),
        stages_ms=_stages(heard),
        troubles=[trouble for call in calls for trouble in call.owner.troubles][:5],
        usage=[usage for call in calls for usage in call.owner.usage],
    )


def _stages(answers: Sequence[Answered]) -> dict[str, float]:
    """Of a pipeline: until the turn was over, the model's first word, the first sound."""
    told = [a for a in answers if a.turn_ended_at and {"chat", "tts"} <= a.first_message_at.keys()]
    if not told:
        return {}
    parts = {
        "hearing": [(a.turn_ended_at or 0.0) - a.asked_at for a in told],
        "thinking": [a.first_message_at["chat"] - (a.turn_ended_at or 0.0) for a in told],
        "speaking": [a.first_message_at["tts"] - a.first_message_at["chat"] for a in told],
        "ours": [(a.heard_at or 0.0) - a.first_message_at["tts"] for a in told],
    }
    return {name: 1000 * statistics.median(values) for name, values in parts.items()}


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def _p95(values: Sequence[float]) -> float | None:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))] if values else None


# --- whom it is measured with ---------------------------------------------------------------------


def row(kind: str, settings: Mapping[str, object], **columns: str | None) -> RealtimeProviderConfig:
    """A provider row as a tenant might have it."""
    given: dict[str, str | None] = {"base_url": None, "model": None, "credential": None, **columns}
    return RealtimeProviderConfig(
        voice_realtime_provider_uuid="",
        domain_uuid="",
        realtime_provider=kind,
        provider_label=kind,
        headers={},
        default_voice_id=None,
        provider_settings=dict(settings),
        priority=0,
        max_concurrent_calls=None,
        enabled=True,
        **given,
    )


@contextmanager
def emulated(kind: str, plan: Plan) -> Iterator[tuple[Callable[[], p.ProviderProtocol], Network]]:
    """The emulated services of a kind in a process of their own, behind the emulated network."""
    with ExitStack() as stack:
        process = stack.enter_context(_process("-m", f"{__package__}.services", kind))
        assert process.stdout is not None
        with gevent.Timeout(START_LIMIT_S, RuntimeError("the emulated service did not start")):
            addresses = json.loads(process.stdout.readline())
        urls = {name: _delayed(stack, url, plan.delay_s) for name, url in addresses.items()}
        further = {name: url for name, url in urls.items() if name != "base_url"}
        settings = {**EMULATED.get(kind, {}), **further}
        speech = stack.enter_context(_speech()) if kind == "custom" else None
        config = row(kind, settings, base_url=urls["base_url"])
        access = ProviderAccess(config, Secret(KEYS[kind]) if KEYS[kind] else None)
        judge = ProviderHosts(("127.0.0.1",)).refusal
        yield lambda: provider_protocol(access), Network(dialler=Dialler(judge), speech=speech)


def _delayed(stack: ExitStack, url: str, delay_s: float) -> str:
    service = DelayedService(url, delay_s)
    stack.callback(service.stop)
    return service.url


@contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = green_subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _speech() -> Iterator[str]:
    """The local speech process, for voices; only `tones` is asked of it here."""
    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        path = Path(directory) / "socket"
        with _process("-m", "bridge.speech.server", "--socket", str(path)):
            with gevent.Timeout(START_LIMIT_S, RuntimeError("no speech process")):
                while not path.exists():
                    gevent.sleep(0.05)
            yield str(path)
