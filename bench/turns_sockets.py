"""The calls of `bench.turns` in real time and over real sockets, many at once.

The same callers and services, but each connection is a WebSocket through a delay, each session has
the host it has in production, and the pacer and the caller go by the clock. It is slow, and busy
machines show in it: it is there to see that virtual time tells the truth.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import gevent

from bridge.audio.pacer import Pacer
from bridge.playout.base import PlayoutSinks
from bridge.playout.modes import PlayoutMode
from bridge.playout.pacer_timer import PacerClock
from bridge.playout.registry import make_playout
from bridge.ports import EndCause
from bridge.providers import base as p
from bridge.providers.conversation import Brief
from bridge.providers.elevenlabs.agent import ElevenLabsAgent
from bridge.providers.elevenlabs.config import ElevenLabsConfig
from bridge.providers.gemini.config import GeminiLiveConfig
from bridge.providers.gemini.live import GeminiLive
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.realtime import OpenAIRealtime
from bridge.session.candidates import Candidate
from bridge.session.config import SessionConfig
from bridge.session.media_plan import MediaPath, PlayoutChoice, choose_formats, provider_formats
from bridge.session.session import Session
from esl_controller.simulator.bench.delay import DelayedService
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.elevenlabs.config import EmulatorConfig as AgentConfig
from esl_controller.simulator.elevenlabs.server import ElevenLabsEmulator
from esl_controller.simulator.gemini.config import EmulatorConfig as GeminiConfig
from esl_controller.simulator.gemini.server import GeminiEmulator
from esl_controller.simulator.openai.config import EmulatorConfig
from esl_controller.simulator.openai.server import OpenAIEmulator
from esl_controller.simulator.service.script import Script
from tests.pairs.owner import CallOwner
from tests.pairs.world import FRAME_S, LEG, TICK_S
from tests.unit.bridge.session_kit import PHRASES

DELAY_S = 0.05
"""Each way, as in virtual time."""
AT_ONCE = 3
"""Calls that a busy core carries, with their services and recognisers."""
Make = Callable[[], p.ProviderProtocol]


def _later(delay_s: float, act: Callable[[], None]) -> None:
    gevent.spawn_later(delay_s, act)


class SocketWorld:
    """One call and everything around it; what `bench.turns.judge` looks at."""

    def __init__(self, make: Make, kind: str, phone: Caller, pacer: Pacer, **config: Any) -> None:
        self.phone = phone
        self.call = CallOwner(lambda: self.session, _later)
        self._pacer = pacer
        self._on_the_way: list[bytes] = []
        self.session = Session(
            "domain",
            "call",
            SessionConfig(
                [Candidate("p0", kind, make)],
                Brief(greeting="Good morning."),
                PHRASES,
                lambda can: provider_formats(LEG, can),
                **config,
            ),
            self.call,
            pacer=pacer,
            clock=time.monotonic,
        )

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def run(self, seconds: float) -> None:
        """Hold the call. Waits."""
        self.session.prepare()
        gevent.sleep(1.0)
        choice = PlayoutChoice(PlayoutMode.UNICAST)
        plan = choose_formats(LEG, [8000], choice, media=MediaPath.UNICAST)
        sinks = PlayoutSinks(send_datagram=self._on_the_way.append)
        playout = make_playout(choice.mode, choice.flavour, plan.playout_format, sinks)
        self.session.attach_media(plan, playout)
        began = self.now
        self.phone.on_answered(began)
        for number in itertools.count():
            if number * FRAME_S >= seconds:
                break
            if self._on_the_way:
                self.phone.hear(self._on_the_way.pop(0), self.now)
            self.session.receive_audio(self.phone.speak(self.now) or bytes(320))
            if number % round(TICK_S / FRAME_S) == 0:
                self.session.tick(self.now)
            gevent.sleep(max(0.0, began + (number + 1) * FRAME_S - self.now))
        self.session.end(EndCause.HANGUP)


def served(provider: str, script: Script, stack: ExitStack) -> tuple[str, Make]:
    """An emulated service behind a delay: its kind, and what makes protocol objects for it."""
    kind, _, own = provider.partition("-")
    turns: dict[str, Any] = {"turn_detection": "none"} if own else {"vad_silence_ms": 500}
    emulator: Any
    if kind == "openai":
        emulator = OpenAIEmulator(EmulatorConfig(script=script))
    elif kind == "gemini":
        emulator = GeminiEmulator(GeminiConfig(script=script))
    elif kind == "elevenlabs":
        emulator = ElevenLabsEmulator(AgentConfig(script=script, turn_timeout_s=None, public=True))
    else:
        raise ValueError(f"{provider} is measured in virtual time alone")
    delayed = DelayedService(emulator.start(), DELAY_S)
    stack.callback(emulator.stop)
    stack.callback(delayed.stop)
    url = delayed.url
    if kind == "openai":
        openai = OpenAIRealtimeConfig(
            api_key="sk-test", base_url=url, interrupt_response=False, **turns
        )
        return kind, lambda: OpenAIRealtime(openai)
    if kind == "gemini":
        gemini = GeminiLiveConfig(api_key="key-test", base_url=url, **turns)
        return kind, lambda: GeminiLive(gemini)
    agent = ElevenLabsConfig(agent_id="a1", base_url=url)
    return kind, lambda: ElevenLabsAgent(agent)


def hold(worlds: Sequence[SocketWorld], pacer: Pacer, seconds: float) -> None:
    """All calls, `AT_ONCE` at a time."""
    clock = PacerClock(pacer)
    clock.start()
    try:
        for at in range(0, len(worlds), AT_ONCE):
            talking = [gevent.spawn(one.run, seconds) for one in worlds[at : at + AT_ONCE]]
            gevent.joinall(talking, raise_error=True)
    finally:
        clock.stop()
