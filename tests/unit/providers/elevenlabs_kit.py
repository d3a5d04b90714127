"""Helpers for tests of the ElevenLabs provider."""

from __future__ import annotations

from typing import Any

import msgspec
import pybase64

from bridge.audio.formats import L16_16K, PCMU_8K, AudioFormat
from bridge.providers.actions import Open, Send
from bridge.providers.base import ProviderEvent, ProviderFailure
from bridge.providers.conversation import Brief, Conversation, Opening, Ran, Said, Speaker
from bridge.providers.elevenlabs.agent import AGENT, SIGNING, ElevenLabsAgent
from bridge.providers.elevenlabs.config import ElevenLabsConfig
from bridge.wire.channel import ChannelEnd, Ender

KEY = "xi-s3cret-key"
FORMATS: dict[str, AudioFormat] = {"PCMU": PCMU_8K, "L16": L16_16K}
METADATA = {
    "conversation_id": "conv_1",
    "agent_output_audio_format": "ulaw_8000",
    "user_input_audio_format": "ulaw_8000",
}
BODIES = {"user_transcript": "user_transcription_event"} | {
    kind: kind for kind in ("client_tool_call", "agent_tool_response")
}
URL = "wss://api.elevenlabs.io/v1/convai/conversation?agent_id=a1&conversation_signature=s"


def config(**fields: Any) -> ElevenLabsConfig:
    return ElevenLabsConfig(**({"agent_id": "a1", "api_key": KEY} | fields))


def conversation(**fields: Any) -> Conversation:
    """`Brief` fields and `Conversation` fields side by side; a greeting is to be said."""
    names = {"instructions", "greeting", "language", "tools"} & fields.keys()
    brief = Brief(**{name: fields.pop(name) for name in names})
    opening = Opening.GREET if brief.greeting else Opening.LISTEN
    given = {"audio_in": PCMU_8K, "audio_out": PCMU_8K, "opening": opening} | fields
    return Conversation(**given, brief=brief)


def conversation_from_json(values: dict[str, Any]) -> Conversation:
    fields = dict(values)
    fields["history"] = [
        Ran(*rest) if who == "ran" else Said(Speaker(who), *rest)
        for who, *rest in fields.get("history", ())
    ]
    if "opening" in fields:
        fields["opening"] = Opening(fields["opening"])
    return conversation(**fields)


def events(provider: ElevenLabsAgent) -> list[ProviderEvent]:
    found = []
    while (event := provider.next_event()) is not None:
        found.append(event)
    return found


def kinds(provider: ElevenLabsAgent) -> list[str]:
    return [type(event).__name__ for event in events(provider)]


def sent(provider: ElevenLabsAgent) -> list[dict[str, Any]]:
    found = []
    for action in provider.actions():
        assert isinstance(action, Send)
        assert (action.channel, action.binary) == (AGENT, False)
        found.append(msgspec.json.decode(action.data))
    return found


def failure(provider: ElevenLabsAgent) -> ProviderFailure:
    """The last event, which is a failure."""
    event = events(provider)[-1]
    assert isinstance(event, ProviderFailure)
    return event


def feed(provider: ElevenLabsAgent, kind: str, body: Any, now: float = 1.0) -> None:
    message = {"type": kind, BODIES.get(kind, f"{kind}_event"): body}
    provider.receive_message(AGENT, msgspec.json.encode(message), now)


def audio(provider: ElevenLabsAgent, number: int, now: float, data: bytes = b"\xff" * 160) -> None:
    body = {"event_id": number, "audio_base_64": pybase64.b64encode(data).decode()}
    feed(provider, "audio", body, now)


def words(provider: ElevenLabsAgent, number: int, text: str, now: float = 1.0) -> None:
    feed(provider, "agent_response", {"agent_response": text, "event_id": number}, now)


def signed(provider: ElevenLabsAgent, talk: Conversation | None = None, url: str = URL) -> None:
    """Started, and the answer to its signing request taken; its next actions are left."""
    provider.start(talk or conversation(), 0.0)
    (action,) = provider.actions()
    assert isinstance(action, Open)
    assert action.channel == SIGNING
    provider.receive_open(SIGNING, 0.1)
    provider.receive_message(SIGNING, msgspec.json.encode({"signed_url": url}), 0.1)
    provider.receive_end(SIGNING, ChannelEnd(Ender.PEER, code=200), 0.1)


def opened(provider: ElevenLabsAgent, talk: Conversation | None = None) -> ElevenLabsAgent:
    """Its socket is open since 0.5 s; its first message has not been taken."""
    signed(provider, talk)
    (action,) = provider.actions()
    assert isinstance(action, Open)
    assert action.channel == AGENT
    provider.receive_open(AGENT, 0.5)
    return provider


def talking(
    talk: Conversation | None = None, metadata: dict[str, Any] | None = None, **fields: Any
) -> ElevenLabsAgent:
    """The agent listens; what was sent and told so far is gone."""
    provider = opened(ElevenLabsAgent(config(**fields)), talk)
    feed(provider, "conversation_initiation_metadata", metadata or METADATA)
    sent(provider)
    events(provider)
    return provider
