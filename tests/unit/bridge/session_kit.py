"""A session with no socket: a scripted provider, a far side that keeps its frames, a clock."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bridge.audio.formats import PCMU_8K, AudioFormat
from bridge.audio.pacer import Pacer
from bridge.playout.base import Playout, PlayoutSinks
from bridge.playout.modes import PlayoutMode
from bridge.playout.registry import make_playout
from bridge.ports import SessionListener
from bridge.providers import base as p
from bridge.providers.conversation import Brief, Conversation, Speaker
from bridge.session.candidates import Candidate
from bridge.session.config import SessionConfig
from bridge.session.media_plan import (
    Leg,
    MediaPath,
    MediaPlan,
    PlayoutChoice,
    choose_formats,
    provider_formats,
)
from bridge.session.phrases import Phrases
from bridge.session.session import Session
from bridge.session.states import SessionState
from tests.unit.bridge.doubles import TELLS, FakeHost, StrictListener, StrictProvider

PHRASES = Phrases("Still there?", "Good-bye!", "Time is up.", "Connecting.", "Say it again?")
FRAME = bytes([0x55]) * 160
"""20 ms of G.711, audible."""
SILENT_FRAME = b"\xff" * 160
LOUD = struct.pack("<160h", *([8000] * 4 + [-8000] * 4) * 20)
"""20 ms of L16 at 8 kHz that our ear takes for a voice."""
QUIET = bytes(320)
LEG = Leg("PCMU", 8000)

HIDES = p.Capabilities(
    (PCMU_8K,),
    (PCMU_8K,),
    turns=p.Turns.HIDDEN,
    interrupts=True,
    speaks_text=False,
    minds_silence=True,
)
"""As ElevenLabs."""


@dataclass
class _Later:
    """What `gevent.spawn_later` gave."""

    delay_s: float
    run: Callable[[], None]
    killed: bool = field(default=False)

    def kill(self, block: bool = True) -> None:
        self.killed = True


class Stage:
    """One session and everything around it. Time passes when the test says so."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *capabilities: p.Capabilities,
        greeting: str = "",
        **config: Any,
    ) -> None:
        self.now = 100.0
        self.told = StrictListener()
        self.hosts: list[FakeHost] = []
        self.datagrams: list[bytes] = []
        self.later: list[_Later] = []
        self.pacer = Pacer()
        monkeypatch.setattr("bridge.session.provider.ProviderHost", self._host)
        monkeypatch.setattr("bridge.session.provider.gevent.spawn_later", self._spawn_later)
        candidates = [
            Candidate(f"p{number}", "openai", lambda can=can: StrictProvider(can))
            for number, can in enumerate(capabilities or (TELLS,))
        ]
        listener: SessionListener = self.told
        self.session = Session(
            "domain",
            "call",
            SessionConfig(
                candidates,
                Brief(greeting=greeting),
                PHRASES,
                lambda can: provider_formats(LEG, can),
                **config,
            ),
            listener,
            pacer=self.pacer,
            clock=lambda: self.now,
        )

    def _host(self, protocol: StrictProvider, conversation: Conversation, **more: Any) -> FakeHost:
        host = FakeHost(protocol, conversation, **more)
        self.hosts.append(host)
        return host

    def _spawn_later(self, delay_s: float, function: Any, *arguments: Any) -> _Later:
        later = _Later(delay_s, lambda: function(*arguments))
        self.later.append(later)
        return later

    # --- the provider ---

    @property
    def host(self) -> FakeHost:
        """The connection that was made last."""
        return self.hosts[-1]

    @property
    def commands(self) -> list[tuple[Any, ...]]:
        """What the newest provider was told, in order."""
        return self.host.protocol.commands

    def names(self) -> list[str]:
        return [command[0] for command in self.commands]

    def cuts(self) -> list[dict[str, int]]:
        return [command[1] for command in self.commands if command[0] == "cut"]

    def says(self) -> list[str]:
        return [command[1] for command in self.commands if command[0] == "say"]

    def token(self) -> str:
        """Of the last words the provider was asked to say."""
        return [command[2] for command in self.commands if command[0] == "say"][-1]

    def reconnect(self) -> FakeHost:
        """The pause before the next try is over."""
        later = self.later.pop(0)
        assert not later.killed
        later.run()
        return self.host

    def events(self, *events: p.ProviderEvent) -> None:
        """The provider says so, in one read."""
        self.host.events(*events)

    def answer(
        self,
        response: str = "r1",
        ms: int = 200,
        *,
        done: bool = True,
        token: str = "",
        frame: bytes = FRAME,
    ) -> None:
        """The provider answers with so much audio."""
        audio = p.Audio(response, f"item-{response}", frame * (ms // 20))
        self.events(p.ResponseStarted(response, token), audio)
        if done:
            self.events(p.ResponseDone(response, "completed"))

    def turn(self) -> None:
        """The caller says something."""
        self.events(p.CallerStarted(), p.CallerStopped())

    def words(self, speaker: Speaker, item_id: str, text: str) -> None:
        self.events(p.Transcript(speaker, item_id, text))

    def fail(
        self,
        *,
        kind: p.ErrorKind = p.ErrorKind.CONNECTION,
        retryable: bool = True,
        retry_in_s: float | None = None,
    ) -> None:
        """The connection is lost."""
        self.events(p.ProviderFailure(kind, "gone", "it went", True, retryable, retry_in_s))

    # --- the caller ---

    def plan(self) -> MediaPlan:
        choice = PlayoutChoice(PlayoutMode.UNICAST)
        return choose_formats(LEG, [8000], choice, media=MediaPath.UNICAST)

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
        self.host.ready()
        self.join()
        assert self.session.state is SessionState.TALKING
        return self

    def hear(self, frame: bytes, seconds: float) -> None:
        """The caller's line brings this for so long, frame by frame."""
        for _ in range(round(seconds * 50)):
            self.session.receive_audio(frame)
            self.after(0.02)

    def heard(self, since: int = 0) -> int:
        """Milliseconds of sound the caller got from that datagram on."""
        return 20 * sum(any(datagram) for datagram in self.datagrams[since:])

    # --- time ---

    def after(self, seconds: float) -> None:
        """Time passes: pacer and timers run as in a worker."""
        until = self.now + seconds
        while self.now < until - 1e-9:
            before = self.now
            self.now = min(until, self.now + 0.005)
            self.pacer.tick(self.now)
            if int(self.now * 4 + 1e-6) != int(before * 4 + 1e-6):
                self.session.tick(self.now)


PHRASE = (b"\x00\x10" * 4000, AudioFormat(PCMU_8K.encoding.L16, 8000))
"""Half a second of a recorded phrase."""
