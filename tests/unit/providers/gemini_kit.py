"""Helpers for tests of the Gemini provider and its emulated service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pybase64

from bridge.audio.formats import L16_16K, L16_24K
from bridge.providers.actions import Open, Send
from bridge.providers.base import ProviderEvent
from bridge.providers.conversation import Brief, Conversation, Opening, Ran, Said, Speaker, Tool
from bridge.providers.gemini.config import GeminiLiveConfig
from bridge.providers.gemini.live import CHANNEL, GeminiLive
from esl_controller.simulator.gemini.config import EmulatorConfig, Faults
from esl_controller.simulator.gemini.core import Handles
from esl_controller.simulator.gemini.record import GeminiRecord
from esl_controller.simulator.gemini.session import EmulatedSession
from esl_controller.simulator.service.script import Answer, Script, ScriptedCall
from esl_controller.simulator.service.voice import encode, synthetic_speech

READY = {"setupComplete": {"sessionId": "s-1"}}


def config(**fields: Any) -> GeminiLiveConfig:
    return GeminiLiveConfig(api_key="AIza-test", **fields)


def conversation(**fields: Any) -> Conversation:
    """`Brief` fields and `Conversation` fields side by side; a greeting is to be said."""
    names = {"instructions", "greeting", "language", "tools"} & fields.keys()
    brief = Brief(**{name: fields.pop(name) for name in names})
    opening = Opening.GREET if brief.greeting else Opening.LISTEN
    return Conversation(
        **({"audio_in": L16_16K, "audio_out": L16_24K, "opening": opening} | fields), brief=brief
    )


def conversation_from_json(values: Mapping[str, Any]) -> Conversation:
    fields = dict(values)
    fields["tools"] = [Tool(**tool) for tool in fields.get("tools", ())]
    fields["history"] = [_entry(*entry) for entry in fields.get("history", ())]
    if "opening" in fields:
        fields["opening"] = Opening(fields["opening"])
    return conversation(**fields)


def _entry(who: str, *rest: str) -> Said | Ran:
    return Ran(*rest) if who == "ran" else Said(Speaker(who), *rest)


def events(provider: GeminiLive) -> list[ProviderEvent]:
    found = []
    while (event := provider.next_event()) is not None:
        found.append(event)
    return found


def messages(provider: GeminiLive) -> list[bytes]:
    """What goes out on the open channel."""
    found = []
    for action in provider.actions():
        assert isinstance(action, Send)
        assert (action.channel, action.binary) == (CHANNEL, False)
        found.append(action.data)
    return found


def sent(provider: GeminiLive) -> list[dict[str, Any]]:
    return [msgspec.json.decode(message) for message in messages(provider)]


def opened(provider: GeminiLive, talk: Conversation | None = None, now: float = 0.0) -> GeminiLive:
    """Started, and its socket open; its first message has not been taken."""
    provider.start(talk or conversation(), now)
    (action,) = provider.actions()
    assert isinstance(action, Open)
    provider.receive_open(CHANNEL, now)
    return provider


def ready_provider(talk: Conversation | None = None, now: float = 0.0, **fields: Any) -> GeminiLive:
    """Settings taken, nothing else done; its first messages and events are gone."""
    provider = opened(GeminiLive(config(**fields)), talk, now)
    feed(provider, READY, now)
    sent(provider)
    events(provider)
    return provider


def feed(provider: GeminiLive, message: Mapping[str, Any], now: float = 0.0) -> None:
    provider.receive_message(CHANNEL, msgspec.json.encode(message), now)


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


def voice(data: bytes = b"\x01\x02" * 240) -> dict[str, Any]:
    blob = {"mimeType": "audio/pcm;rate=24000", "data": pybase64.b64encode(data).decode()}
    return content(modelTurn={"role": "model", "parts": [{"inlineData": blob}]})


def said(text: str) -> dict[str, Any]:
    return content(outputTranscription={"text": text})


def heard(text: str) -> dict[str, Any]:
    return content(inputTranscription={"text": text})


def new_session(
    emulated: EmulatorConfig | None = None,
    faults: Faults | None = None,
    handles: Handles | None = None,
    now: float = 0.0,
) -> EmulatedSession:
    return EmulatedSession(
        emulated or EmulatorConfig(),
        faults or Faults(),
        GeminiRecord(number=1),
        handles or Handles(),
        now=now,
    )


class Client:
    """A client that sends plain messages and sees the service's, in virtual time."""

    def __init__(self, emulated: EmulatorConfig | None = None, **more: Any) -> None:
        self.now = 0.0
        self.session = new_session(emulated, **more)
        self.raw: list[bytes] = []

    @property
    def record(self) -> GeminiRecord:
        return self.session.core.record

    @property
    def seen(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(message) for message in self.raw]

    def send(self, **message: Any) -> list[dict[str, Any]]:
        self.session.receive_message(msgspec.json.encode(message), self.now)
        return self._collect()

    def setup(self, **fields: Any) -> list[dict[str, Any]]:
        base = {"model": "models/gemini-3.8-live", "outputAudioTranscription": {}}
        self.send(setup=base | {"inputAudioTranscription": {}, "sessionResumption": {}} | fields)
        return self.wait(0.0)

    def speak(self, text: str, silence_ms: int = 700) -> None:
        """In real time."""
        data = encode(synthetic_speech(text), L16_16K) + L16_16K.silence(silence_ms)
        for begin in range(0, len(data), L16_16K.bytes_per_frame):
            piece = pybase64.b64encode(data[begin : begin + L16_16K.bytes_per_frame]).decode()
            self.send(realtimeInput={"audio": {"mimeType": "audio/pcm;rate=16000", "data": piece}})
            self.wait(0.02)

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Let time pass; what the service says meanwhile."""
        end, before = self.now + seconds, len(self.raw)
        while (due := self.session.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.session.handle_timeout(self.now)
            self._collect()
        self.now = end
        return self.seen[before:]

    def _collect(self) -> list[dict[str, Any]]:
        new = self.session.messages_to_send()
        self.raw += new
        return [msgspec.json.decode(message) for message in new]


def talkative_session() -> list[bytes]:
    """Every message of the service occurs."""
    script = Script(
        answers=(
            Answer("Good morning."),
            Answer("Wait.", (ScriptedCall("f", '{"a":1}'),)),
            Answer("And so on and so forth for a good while."),
        )
    )
    client = Client(EmulatorConfig(script=script, session_limit_s=60.0))
    client.setup()
    client.speak("Hello you")
    client.wait(4.0)
    client.speak("Do something")
    client.wait(3.0)
    client.speak("No")
    client.wait(1.0)
    client.speak("Stop")
    client.wait(60.0)
    return client.raw
