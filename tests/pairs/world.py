"""A session, real protocol objects and emulated services in one virtual time: no socket, no sleep.

Everything is production's but three things: the wire, which is a delay each way, the caller's
telephone, which keeps what it hears, and the clock.
"""

from __future__ import annotations

import dataclasses
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
from bridge.providers.actions import HttpRequest, Open, Send
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
from bridge.wire.channel import ChannelEnd, Ender
from esl_controller.simulator.caller import Caller
from esl_controller.simulator.service.faults import ConnectionFaults
from esl_controller.simulator.service.voice import encode, synthetic_speech
from tests.pairs.owner import CallOwner
from tests.pairs.services import UNIX_S, AnyService, Served, Service
from tests.unit.bridge.session_kit import PHRASES

LEG = Leg("PCMU", 8000)
TICK_S = 0.25
FRAME_S = 0.02


def is_sound(frame: bytes) -> bool:
    """Whether a frame of L16 can be heard: the silence of G.711 is not all zeros."""
    return audioop.max(frame, 2) > NO_SOUND


class VirtualHost:
    """Stands for `ProviderHost`: the same calls, over mail instead of sockets."""

    def __init__(
        self,
        world: World,
        service: AnyService,
        protocol: p.ProviderProtocol,
        conversation: Conversation,
        *,
        on_events: Callable[[list[p.ProviderEvent]], None],
        connect_timeout_s: float,
        network: Any,
        clock: Callable[[], float],
    ) -> None:
        self.protocol = protocol
        self.messages_in = 0
        self.round_trip_ms: float | None = 2000 * world.delay_s
        self.over = False
        self._connect_timeout_s = connect_timeout_s
        self._world = world
        self._service = service
        self._conversation = conversation
        self._on_events = on_events
        self._channel = ""
        self._session: Served | None = None
        self._closing_told = False

    # --- what the owner may do ---

    def start(self) -> None:
        conversation = dataclasses.replace(self._conversation, unix_s=UNIX_S + self._world.now)
        self.protocol.start(conversation, self._world.now)
        self._world.hosts.append(self)
        self.flush()

    def flush(self) -> None:
        if not self.over:
            self._carry_out()
            self._world.post(0.0, self._pump)

    def flush_audio(self) -> None:
        if not self.over:
            self._carry_out()

    def stop(self) -> None:
        if self.over:
            return
        self.protocol.stop(self._world.now)
        self._carry_out()
        events = self._take()
        self.over = True
        if events:
            self._on_events(events)

    def close(self) -> None:
        self.over = True

    # --- the wire ---

    def _carry_out(self) -> None:
        for action in self.protocol.actions():
            if isinstance(action, Open):
                self._channel = action.channel
                if isinstance(action.target, HttpRequest):
                    self._world.post(2 * self._world.delay_s, self._signed)
                else:
                    self._knock()
            elif isinstance(action, Send):
                self._world.post(self._world.delay_s, lambda data=action.data: self._sent(data))
            elif action.channel == self._channel:
                self._session = None

    def _signed(self) -> None:
        """An HTTP request is answered, and over."""
        if self.over:
            return
        channel, now = self._channel, self._world.now
        refusal = self._service.refusal()
        if refusal is not None:
            self._end(ChannelEnd(Ender.PEER, "http", refusal[0], "", refusal[1]))
            return
        self.protocol.receive_open(channel, now)
        self.protocol.receive_message(channel, self._service.sign(), now)
        self.protocol.receive_end(channel, ChannelEnd(Ender.PEER, code=200), now)
        self._pump()

    def _knock(self) -> None:
        faults, delay_s = self._service.knock(), 2 * self._world.delay_s
        if faults.connect_delay_s + delay_s >= self._connect_timeout_s:
            late = ChannelEnd(Ender.NETWORK, "timeout")
            self._world.post(self._connect_timeout_s, lambda: self._end(late))
        elif faults.refuse_status is not None:
            refused = ChannelEnd(Ender.PEER, "http", faults.refuse_status)
            self._world.post(delay_s, lambda: self._end(refused))
        else:
            self._world.post(faults.connect_delay_s + delay_s, lambda: self._opened(faults))

    def _opened(self, faults: ConnectionFaults) -> None:
        if self.over:
            return
        self._session = self._service.accept(faults, self._world.now)
        self._closing_told = False
        if faults.drop_after_s is not None:
            reset = ChannelEnd(Ender.NETWORK, "", 1006)
            self._world.post(faults.drop_after_s, lambda: self._end(reset))
        self.protocol.receive_open(self._channel, self._world.now)
        self.collect()
        self._pump()

    def _end(self, end: ChannelEnd) -> None:
        if not self.over:
            self.protocol.receive_end(self._channel, end, self._world.now)
            self._pump()

    def _sent(self, data: bytes) -> None:
        if self._session is not None:
            self._session.receive_message(data, self._world.now)
            self.collect()

    def collect(self) -> None:
        """What the service says leaves for us."""
        session = self._session
        if session is None:
            return
        messages = session.messages_to_send()
        if messages:
            self._world.post(self._world.delay_s, lambda: self._received(messages))
        if session.closing is not None and not self._closing_told:
            self._closing_told = True
            self._world.post(self._world.delay_s, self._ended)

    def _received(self, messages: Sequence[bytes]) -> None:
        if self.over:
            return
        self.messages_in += len(messages)
        for message in messages:
            self.protocol.receive_message(self._channel, message, self._world.now)
        self._pump()

    def _ended(self) -> None:
        if self.over or self._session is None:
            return
        code, reason = self._session.closing or (1006, "")
        self._end(ChannelEnd(Ender.PEER, "", code, reason))

    def _take(self) -> list[p.ProviderEvent]:
        events = []
        while (event := self.protocol.next_event()) is not None:
            events.append(event)
        return events

    def _pump(self) -> None:
        if not self.over:
            self._carry_out()
        while not self.over and (events := self._take()):
            for number, event in enumerate(events):
                if isinstance(event, p.Ended) or getattr(event, "fatal", False):
                    self.over = True
                    events = events[: number + 1]
                    break
            self._on_events(events)
        if not self.over:
            self._carry_out()

    # --- time ---

    def next_deadline(self) -> float | None:
        sides = (self.protocol, self._session)
        times = [side.next_deadline() for side in sides if side is not None]
        return min((at for at in times if at is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        deadline = self.protocol.next_deadline()
        if deadline is not None and deadline <= now:
            self.protocol.handle_timeout(now)
            self._carry_out()
            self._pump()
        if self._session is not None and not self.over:
            deadline = self._session.next_deadline()
            if deadline is not None and deadline <= now:
                self._session.handle_timeout(now)
                self.collect()


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
            self.session.receive_audio(self._frame())
        if self._next_tick <= self.now:
            self._next_tick += TICK_S
            self.session.tick(self.now)
