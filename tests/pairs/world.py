"""A session, real protocol objects and emulated services in one virtual time: no socket, no sleep.

Everything is production's but three things: the wire, which is a delay each way, the caller's
telephone, which keeps what it hears, and the clock.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bridge.audio.formats import L16_8K
from bridge.audio.pacer import Pacer
from bridge.audio.pcm import audioop
from bridge.playout.base import PlayoutSinks
from bridge.playout.modes import PlayoutMode
from bridge.playout.registry import make_playout
from bridge.providers import base as p
from bridge.providers.conversation import Brief, Conversation
from bridge.session.candidates import Candidate
from bridge.session.config import SessionConfig
from bridge.session.downlink import NO_SOUND
from bridge.session.media_plan import (
    Leg,
    MediaPath,
    PlayoutChoice,
    choose_formats,
    provider_formats,
)
from bridge.session.session import Session
from bridge.wire.frames import BINARY, client_frame
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.service.voice import encode, synthetic_speech
from tests.pairs.owner import CallOwner
from tests.pairs.services import AnyService, Service
from tests.pairs.virtual_host import VirtualHost
from tests.unit.bridge.session_kit import PHRASES

LEG = Leg("PCMU", 8000)
TICK_S = 0.25
FRAME_S = 0.02


def is_sound(frame: bytes) -> bool:
    """Whether a frame of L16 can be heard: the silence of G.711 is not all zeros."""
    return audioop.max(frame, 2) > NO_SOUND


class World:
    """One call and everything around it."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *services: AnyService,
        delay_s: float = 0.05,
        brief: Brief | None = None,
        provider: dict[str, Any] | None = None,
        phone: Caller | None = None,
        **config: Any,
    ) -> None:
        self.now = 100.0
        self.phone = phone  # speaks by its script, instead of `speak`, and hears frame by frame
        self._on_the_way: deque[bytes] = deque()  # not sent on as RTP yet
        self.delay_s = delay_s
        self.services: Sequence[Any] = services or (Service(),)
        self.hosts: list[VirtualHost] = []
        self.heard: list[tuple[float, bytes]] = []
        self._mail: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self._next_tick = self.now + TICK_S
        self._saying = bytearray()
        self._next_frame = self.now
        self.on_moment: Callable[[], None] = lambda: None
        """Called whenever something has happened."""
        self.pacer = Pacer()
        self._of: dict[int, AnyService] = {}
        self._alive: list[p.ProviderProtocol] = []
        """Nobody else takes the identity of one that is gone."""
        monkeypatch.setattr("bridge.session.provider.ProviderHost", self._host)
        monkeypatch.setattr("bridge.session.provider.gevent.spawn_later", self._spawn_later)
        self.call = CallOwner(lambda: self.session, self.post)
        self._fields = provider or {}
        candidates = [
            Candidate(f"p{number}", service.kind, lambda service=service: self._provider(service))
            for number, service in enumerate(self.services)
        ]
        self.session = Session(
            "domain",
            "call",
            SessionConfig(
                candidates,
                brief or Brief(greeting="Good morning."),
                PHRASES,
                lambda can: provider_formats(LEG, can),
                **config,
            ),
            self.call,
            pacer=self.pacer,
            clock=lambda: self.now,
        )

    def _provider(self, service: AnyService) -> p.ProviderProtocol:
        provider = service.provider(self._fields)
        self._of[id(provider)] = service
        self._alive.append(provider)

        def successor() -> p.ProviderProtocol:
            return self._provider(service)

        provider.successor = successor  # type: ignore[method-assign]
        return provider

    def _host(self, protocol: Any, conversation: Conversation, **more: Any) -> VirtualHost:
        return VirtualHost(self, self._of[id(protocol)], protocol, conversation, **more)

    def _spawn_later(self, delay_s: float, function: Any, *arguments: Any) -> Any:
        ended: list[bool] = []

        class Greenlet:
            def kill(self, block: bool = True) -> None:
                ended.append(True)

        self.post(delay_s, lambda: None if ended else function(*arguments))
        return Greenlet()

    def _read(self, frame: bytes) -> None:
        """As the caller's link does with what it has read."""
        if not self.session.receive_plain(client_frame(BINARY, frame, b"mask")):
            self.session.receive_audio(frame)

    def post(self, delay_s: float, deliver: Callable[[], None]) -> None:
        heapq.heappush(self._mail, (self.now + delay_s, next(self._sequence), deliver))

    # --- the call ---

    def begin(self) -> World:
        """The provider is connected, the call answered when it is ready."""
        self.session.prepare()
        self.run(1.0)
        self.join()
        return self

    def join(self) -> None:
        choice = PlayoutChoice(PlayoutMode.UNICAST)
        plan = choose_formats(LEG, [8000], choice, media=MediaPath.UNICAST)
        sinks = PlayoutSinks(send_datagram=self._datagram)
        playout = make_playout(choice.mode, choice.flavour, plan.playout_format, sinks)
        self._next_frame = self.now
        self.session.attach_media(plan, playout)
        if self.phone is not None:
            self.phone.on_answered(self.now)

    def _datagram(self, data: bytes) -> None:
        self.heard.append((self.now, data))
        self._on_the_way.append(data)

    def _frame(self) -> bytes:
        if self.phone is not None:
            if self._on_the_way:
                self.phone.hear(self._on_the_way.popleft(), self.now)
            return self.phone.speak(self.now) or bytes(320)
        frame = bytes(self._saying[:320]).ljust(320, b"\x00")
        del self._saying[:320]
        return frame

    def speak(self, text: str, *, run: bool = True) -> None:
        """The caller says something, in real time; then is quiet."""
        speech = encode(synthetic_speech(text), L16_8K)
        self._saying += speech
        if run:
            self.run(len(speech) / 16000)

    def silence_s(self, since: float) -> float:
        """The longest silence in the caller's ear from then until the last sound."""
        times = [at for at, data in self.heard if at >= since and is_sound(data)]
        return max(b - a for a, b in itertools.pairwise([since, *(times or [self.now])]))

    def sound_ms(self, since: float) -> int:
        """How much sound the caller got from then on."""
        return 20 * sum(at >= since and is_sound(data) for at, data in self.heard)

    # --- time ---

    def run(self, seconds: float) -> None:
        """Let time pass for everybody."""
        end = self.now + seconds
        for _ in range(1_000_000):
            at = self._next_time()
            if at > end:
                self.now = end
                return
            self.now = max(self.now, at)
            self._do_due()
            self.on_moment()
        raise AssertionError("the conversation runs in circles")

    def _next_time(self) -> float:
        times = [self._next_tick, self._next_frame, self.pacer.next_deadline()]
        times += [self._mail[0][0] if self._mail else None]
        times += [host.next_deadline() for host in self.hosts if not host.over]
        return min(at for at in times if at is not None)

    def _do_due(self) -> None:
        while self._mail and self._mail[0][0] <= self.now:
            heapq.heappop(self._mail)[2]()
        for host in [host for host in self.hosts if not host.over]:
            host.handle_timeout(self.now)
        due = self.pacer.next_deadline()
        if due is not None and due <= self.now:
            self.pacer.tick(self.now)
        if self._next_frame <= self.now:
            self._next_frame += FRAME_S
            self._read(self._frame())
        if self._next_tick <= self.now:
            self._next_tick += TICK_S
            self.session.tick(self.now)
