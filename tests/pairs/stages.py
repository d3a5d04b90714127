"""The pipeline's three stages in virtual time: emulated hearing and model, the voice of tones."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from bridge.providers import base as p
from bridge.providers.actions import Endpoint, HttpRequest, Open, Send
from bridge.providers.conversation import Conversation
from bridge.providers.pipeline.config import PipelineConfig
from bridge.providers.pipeline.realtime import Pipeline
from bridge.speech.messages import Say, Told, decode_request, encode_reply
from bridge.speech.service import Options
from bridge.speech.tones import Tones
from bridge.wire.channel import ChannelEnd, Ender
from esl_controller.simulator.chat.server import ChatConfig, ChatEmulator, ChatFaults
from esl_controller.simulator.deepgram.hearing import EmulatedHearing, Faults, HearingConfig
from esl_controller.simulator.service.script import Script
from tests.pairs.services import UNIX_S
from tests.pairs.virtual_host import VirtualWay
from tests.pairs.world import World

VOICE_S = 0.1
"""From a sentence to its sound."""
LATE = ChannelEnd(Ender.NETWORK, "timeout")
RESET = ChannelEnd(Ender.NETWORK, "", 1006)


class Stages:
    """One tenant's pipeline; `faults` are of its hearing, one for each connection."""

    kind = "custom"

    def __init__(self, script: Script, *faults: Faults, **chat: Any) -> None:
        self.sessions: list[EmulatedHearing] = []
        self.asked: list[dict[str, Any]] = []
        self.chat_ends: list[ChannelEnd] = []
        """For the next requests, instead of an answer."""
        self.chat_faults: list[ChatFaults] = []
        """Of the next requests."""
        self.voice_dies: list[int] = []
        """Sentences, counted from 1, with which the voice is lost."""
        self.voice_back_s = 0.02
        """From an attempt to reach the voice until it is there."""
        self.sentences = 0
        self._hearing = HearingConfig(script=script)
        self.model = ChatEmulator(ChatConfig(script=script, **chat))
        self._faults = list(faults)

    def knock(self) -> Faults:
        """What goes wrong with one more connection to the hearing."""
        return self._faults.pop(0) if self._faults else Faults()

    def hear(self, url: str, faults: Faults) -> EmulatedHearing:
        """A new connection."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query))
        self.sessions.append(EmulatedHearing(self._hearing, faults, parts.path, query))
        return self.sessions[-1]


class StagesHost:
    """Stands for `ProviderHost`: the same calls, over mail instead of sockets."""

    def __init__(
        self,
        world: World,
        stages: Stages,
        protocol: p.ProviderProtocol,
        conversation: Conversation,
        *,
        on_events: Callable[[list[p.ProviderEvent]], None],
        connect_timeout_s: float,
        **_more: Any,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        self.protocol = protocol
        self.messages_in = 0
        self.round_trip_ms: float | None = 2000 * world.delay_s
        self.over = False
        self._world = world
        self._stages = stages
        self._conversation = conversation
        self._on_events = on_events
        self._generation: dict[str, int] = {}
        """Grows when a channel is opened or closed: mail of before is nobody's."""
        self._hearing: EmulatedHearing | None = None
        self._tones = Tones(Options(rate_hz=conversation.audio_out.rate_hz))

    def start(self) -> None:
        conversation = dataclasses.replace(self._conversation, unix_s=UNIX_S + self._world.now)
        self.protocol.start(conversation, self._world.now)
        self._world.hosts.append(self)  # type: ignore[arg-type]  # it is one to the world
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

    def send(self, action: Send) -> None:
        self._post(action.channel, 0.0, self._sent, action)

    def stop(self) -> None:
        if not self.over:
            self.protocol.stop(self._world.now)
            self._carry_out()
            events = self._take()
            self.over = True
            if events:
                self._on_events(events)

    def close(self) -> None:
        self.over = True

    def next_deadline(self) -> float | None:
        return self.protocol.next_deadline()

    def handle_timeout(self, now: float) -> None:
        deadline = self.protocol.next_deadline()
        if deadline is not None and deadline <= now:
            self.protocol.handle_timeout(now)
            self._pump()

    # --- channels ---

    def _carry_out(self) -> None:
        for action in self.protocol.actions():
            if isinstance(action, Send):
                self.send(action)
                continue
            number = self._generation.get(action.channel, 0) + 1
            self._generation[action.channel] = number
            if isinstance(action, Open):
                self._open(action)

    def _post(self, channel: str, delay_s: float, deliver: Callable[..., None], *args: Any) -> None:
        number = self._generation.get(channel, 0)

        def due() -> None:
            if not self.over and self._generation.get(channel, 0) == number:
                deliver(*args)
                self._pump()

        self._world.post(self._world.delay_s + delay_s, due)

    def _open(self, action: Open) -> None:
        if isinstance(action.target, HttpRequest):
            self._ask(action.channel, action.target)
        elif isinstance(action.target, Endpoint):
            self._knock(action.channel, action.target.url)
        else:
            self._post(action.channel, self._stages.voice_back_s, self._opened, action.channel)

    def _knock(self, channel: str, url: str) -> None:
        faults = self._stages.knock()
        if faults.connect_delay_s >= self._connect_timeout_s:
            self._post(channel, self._connect_timeout_s, self._ended, channel, LATE)
            return
        if faults.refuse_status is not None:
            refused = ChannelEnd(Ender.PEER, "http", faults.refuse_status)
            self._post(channel, 0.0, self._ended, channel, refused)
            return
        self._hearing = self._stages.hear(url, faults)
        self._post(channel, 0.1 + faults.connect_delay_s, self._opened, channel)

    def _opened(self, channel: str) -> None:
        self.protocol.receive_open(channel, self._world.now)

    def _ended(self, channel: str, end: ChannelEnd) -> None:
        self.protocol.receive_end(channel, end, self._world.now)

    def _received(self, channel: str, data: bytes) -> None:
        self.messages_in += 1
        self.protocol.receive_message(channel, data, self._world.now)

    def _ask(self, channel: str, request: HttpRequest) -> None:
        body = msgspec.json.decode(request.body)
        self._stages.asked.append(body)
        if self._stages.chat_ends:
            self._post(channel, 0.1, self._ended, channel, self._stages.chat_ends.pop(0))
            return
        config = self._stages.model.config
        faults = self._stages.chat_faults.pop(0) if self._stages.chat_faults else ChatFaults()
        if faults.refuse_status is not None:
            error = {"code": faults.code, "message": faults.message}
            refusal = msgspec.json.encode({"error": error})
            end = ChannelEnd(Ender.PEER, "http", faults.refuse_status, "", refusal)
            self._post(channel, 0.1, self._ended, channel, end)
            return
        if faults.first_byte_s >= request.first_byte_s:
            self._post(channel, request.first_byte_s, self._ended, channel, LATE)
            return
        at_s = 0.1 + config.think_s + faults.first_byte_s
        for count, chunk in enumerate(self._stages.model.chunks(body)):
            if count == faults.stall_after_chunks:
                return
            if count == faults.cut_after_chunks:
                self._post(channel, at_s, self._ended, channel, RESET)
                return
            if count == faults.garbage_after_chunks:
                self._post(channel, at_s, self._received, channel, b'{"choices": 7')
            self._post(channel, at_s, self._received, channel, msgspec.json.encode(chunk))
            at_s += config.word_s
        self._post(channel, at_s, self._received, channel, b"[DONE]")
        done = ChannelEnd(Ender.PEER, code=200)
        self._post(channel, at_s, self._ended, channel, done)

    def _sent(self, action: Send) -> None:
        channel, data = action.channel, action.data
        if channel == "tts":
            self._speak(channel, data)
            return
        hearing = self._hearing
        if hearing is None:
            return
        (hearing.receive_audio if action.binary else hearing.receive_text)(data)
        for message in hearing.messages_to_send():
            self._post(channel, 0.0, self._received, channel, message)
        if hearing.dropped:
            self._hearing = None
            self._post(channel, 0.0, self._ended, channel, RESET)
        elif hearing.closing is not None:
            end = ChannelEnd(Ender.PEER, "", *hearing.closing)
            self._hearing = None
            self._post(channel, 0.0, self._ended, channel, end)

    def _speak(self, channel: str, data: bytes) -> None:
        request = decode_request(data)
        if not isinstance(request, Say):
            return
        self._stages.sentences += 1
        if self._stages.sentences in self._stages.voice_dies:
            self._post(channel, 0.0, self._ended, channel, ChannelEnd(Ender.NETWORK))
            return
        sound = b"".join(self._tones.speak(request.text, lambda: False))
        for told in (Told.AUDIO, Told.DONE):
            reply = encode_reply(told, request.number, sound if told is Told.AUDIO else b"")
            self._post(channel, VOICE_S, self._received, channel, reply)

    def _take(self) -> list[p.ProviderEvent]:
        events = []
        while (event := self.protocol.next_event()) is not None:
            events.append(event)
        return events

    def _pump(self) -> None:
        while not self.over and (events := self._take()):
            for number, event in enumerate(events):
                if getattr(event, "fatal", False):
                    self.over = True
                    events = events[: number + 1]
                    break
            self._on_events(events)
        if not self.over:
            self._carry_out()


class PipelineWorld(World):
    """A call whose services are pipelines."""

    def _provider(self, service: Any) -> Any:
        world = self

        class Provider(Pipeline):
            """Remembers whose it is, also in its successor."""

            def successor(self) -> Pipeline:
                made: Pipeline = world._provider(service)
                return made

        fields = {"api_key": "stt=dg,chat=gsk"} | {
            name: value for name, value in self._fields.items() if name != "api_key"
        }
        provider = Provider(PipelineConfig(**fields))
        self._of[id(provider)] = service
        return provider

    def _host(self, protocol: Any, conversation: Conversation, **more: Any) -> Any:
        stages: Any = self._of[id(protocol)]
        return StagesHost(self, stages, protocol, conversation, **more)
