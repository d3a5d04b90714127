"""A session with no socket: a scripted provider, a far side that keeps its frames, a clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from bridge.audio.formats import PCMU_8K
from bridge.audio.pacer import Pacer
from bridge.playout.base import Playout, PlayoutSinks
from bridge.playout.modes import PlayoutMode
from bridge.playout.registry import make_playout
from bridge.ports import SessionEnd, TurnLatency, Utterance
from bridge.providers import base as p
from bridge.session.config import Phrases, SessionConfig
from bridge.session.media_plan import Leg, MediaPath, MediaPlan, PlayoutChoice, choose_formats
from bridge.session.provider import Candidate
from bridge.session.session import Session

PHRASES = Phrases("Still there?", "Good-bye!", "Time is up.", "Connecting.", "Say it again?")
FRAME = bytes([0x55]) * 160
"""20 ms of G.711."""


class ScriptedProvider:
    """A `ProviderProtocol` that notes its commands."""

    def __init__(self) -> None:
        self.commands: list[tuple[Any, ...]] = []
        self.audio = bytearray()
        self.capabilities = p.Capabilities(
            input_formats=(PCMU_8K,),
            output_formats=(PCMU_8K,),
            truncate=True,
            cancels_on_speech=True,
        )

    def endpoint(self) -> p.Endpoint:
        return p.Endpoint("ws://127.0.0.1:1/none")

    def start(self, options: p.ConversationOptions, now: float) -> None:
        self.commands.append(("start", options))

    def receive_message(self, data: bytes, now: float) -> None:
        raise AssertionError("no link, no messages")

    def receive_close(self, code: int, reason: str) -> None:
        raise AssertionError("no link, no close")

    def next_event(self) -> None:
        return None

    def messages_to_send(self) -> list[bytes]:
        return []

    def send_audio(self, data: bytes) -> None:
        self.audio += data

    def next_deadline(self) -> None:
        return None

    def handle_timeout(self, now: float) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self.commands.append((name, *arguments))


@dataclass
class FakeLink:
    """Stands for `ProviderLink`: the test says what comes over it."""

    protocol: ScriptedProvider
    options: p.ConversationOptions
    on_events: Any
    on_closed: Any
    connect_timeout_s: float
    network: Any = None
    round_trip_ms: float | None = None
    messages_in: int = 0
    started: bool = False
    closed: bool = False

    def start(self) -> None:
        self.started = True

    def flush(self) -> None:
        return None

    flush_audio = flush

    def close(self) -> None:
        self.closed = True

    def ready(self) -> None:
        """The provider took the settings."""
        self.on_events([p.SessionReady("s")])


@dataclass
class Told:
    """A `SessionListener` that keeps what it is told."""

    events: list[tuple[Any, ...]] = field(default_factory=list)

    def names(self) -> list[str]:
        return [event[0] for event in self.events]

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [event[1:] for event in self.events if event[0] == name]

    @property
    def end(self) -> SessionEnd | None:
        ends = self.of("ended")
        assert len(ends) <= 1
        return ends[0][0] if ends else None

    @property
    def said(self) -> list[Utterance]:
        return [event[0] for event in self.of("uttered")]

    @property
    def latencies(self) -> list[TurnLatency]:
        return [event[0] for event in self.of("turn_answered")]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self.events.append((name, *arguments))


class Stage:
    """One session and everything around it. Time passes when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, providers: int, **config: Any) -> None:
        self.now = 100.0
        self.told = Told()
        self.links: list[FakeLink] = []
        self.datagrams: list[bytes] = []
        self.pacer = Pacer()
        monkeypatch.setattr("bridge.session.provider.ProviderLink", self._link)
        monkeypatch.setattr("bridge.session.provider.gevent.spawn_later", self._later)
        self.later: list[tuple[float, Any]] = []
        options = p.ConversationOptions(PCMU_8K, PCMU_8K, greeting=config.pop("greeting", ""))
        candidates = [Candidate(f"p{n}", "openai", ScriptedProvider) for n in range(providers)]
        self.session = Session(
            "domain",
            "call",
            SessionConfig(candidates, options, PHRASES, **config),
            self.told,
            pacer=self.pacer,
            clock=lambda: self.now,
        )

    def _link(self, protocol: Any, options: Any, **more: Any) -> FakeLink:
        link = FakeLink(protocol, options, **more)
        self.links.append(link)
        return link

    def _later(self, delay_s: float, function: Any, *arguments: Any) -> Any:
        self.later.append((delay_s, lambda: function(*arguments)))

        class _Greenlet:
            def kill(self, block: bool = True) -> None:
                return None

        return _Greenlet()

    @property
    def link(self) -> FakeLink:
        """The connection that serves, or is being made."""
        return self.links[-1]

    @property
    def commands(self) -> list[tuple[Any, ...]]:
        """What the present provider was told, in order."""
        return self.link.protocol.commands

    def reconnect(self) -> FakeLink:
        """The pause before the next try is over."""
        self.later.pop(0)[1]()
        return self.link

    def plan(self) -> MediaPlan:
        capabilities = p.Capabilities((PCMU_8K,), (PCMU_8K,))
        return choose_formats(
            Leg("PCMU", 8000),
            capabilities,
            PlayoutChoice(PlayoutMode.UNICAST),
            media=MediaPath.UNICAST,
        )

    def playout(self, plan: MediaPlan) -> Playout:
        sinks = PlayoutSinks(send_datagram=self.datagrams.append)
        choice = PlayoutChoice(PlayoutMode.UNICAST)
        return make_playout(choice.mode, choice.flavour, plan.playout_format, sinks)

    def join(self) -> None:
        """The caller's media comes."""
        plan = self.plan()
        self.session.attach_media(plan, self.playout(plan))

    def talking(self) -> Stage:
        """Provider and media there."""
        self.session.prepare()
        self.link.ready()
        self.join()
        return self

    def events(self, *events: p.ProviderEvent) -> None:
        """The provider says so."""
        self.link.on_events(list(events))

    def answer(self, response: str = "r1", ms: int = 200, *, done: bool = True) -> None:
        """The provider answers with so much audio."""
        audio = p.Audio(response, f"item-{response}", FRAME * (ms // 20))
        self.events(p.ResponseStarted(response), audio)
        if done:
            self.events(p.ResponseDone(response, "completed"))

    def turn(self) -> None:
        """The caller says something."""
        self.events(p.SpeechStarted(), p.SpeechStopped())

    def after(self, seconds: float) -> None:
        """Time passes: pacer and timers run as in a worker."""
        until = self.now + seconds
        next_tick = self.now + 0.25
        while self.now < until:
            self.now = min(until, self.now + 0.005)
            self.pacer.tick(self.now)
            if self.now >= next_tick:
                next_tick += 0.25
                self.session.tick(self.now)

    def fail(self, *, kind: p.ErrorKind = p.ErrorKind.CONNECTION, retryable: bool = True) -> None:
        """The connection is lost."""
        self.link.on_closed(p.ProviderFailure(kind, "gone", "it went", True, retryable))
