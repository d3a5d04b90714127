"""A provider's host whose wire is a delay each way, in virtual time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from bridge.providers import base as p
from bridge.providers.actions import HttpRequest, Open, Send
from bridge.providers.conversation import Conversation
from bridge.wire.channel import ChannelEnd, Ender
from bridge.wire.frames import BINARY, FrameLimits, FrameParser, Role
from bridge.wire.uplink_codec import AudioShape
from esl_controller.simulator.service.faults import ConnectionFaults
from tests.pairs.services import UNIX_S, AnyService, Served

if TYPE_CHECKING:
    from tests.pairs.stages import StagesHost
    from tests.pairs.world import World


class VirtualWay:
    """The short way of the caller's audio, by mail: what the codec made is read as by a server."""

    def __init__(self, host: VirtualHost | StagesHost, shape: AudioShape) -> None:
        self.shape = shape
        self._host = host
        self._parser = FrameParser(Role.SERVER, FrameLimits())

    def next_key(self) -> bytes:
        return b"\x5a\x00\xa5\xff"

    @property
    def usable(self) -> bool:
        return self._host.protocol.audio_shape is self.shape and not self._host.over

    def sent(self, audio_bytes: int) -> None:
        self._host.protocol.audio_sent(audio_bytes)

    def send(self, frame: bytes) -> bool:
        for opcode, payload in self._parser.receive_data(frame):
            self._host.send(Send(self.shape.channel, payload, opcode == BINARY))
        return True


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
        ahead: Any = None,
    ) -> None:
        if ahead is not None:  # nothing of it is taken
            ahead.close()
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

    def audio_way(self) -> VirtualWay | None:
        shape = self.protocol.audio_shape
        return VirtualWay(self, shape) if shape is not None else None

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
                self.send(action)
            elif action.channel == self._channel:
                self._session = None

    def send(self, action: Send) -> None:
        self._world.post(self._world.delay_s, lambda: self._sent(action.data))

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
