"""Helpers for tests of the OpenAI provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pybase64

from bridge.audio.formats import L16_24K, PCMA_8K, PCMU_8K, AudioFormat
from bridge.providers.actions import Open, Send
from bridge.providers.base import ProviderEvent
from bridge.providers.conversation import Brief, Conversation, Opening, Ran, Said, Speaker, Tool
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.realtime import CHANNEL, OpenAIRealtime

FORMATS: dict[str, AudioFormat] = {"L16": L16_24K, "PCMU": PCMU_8K, "PCMA": PCMA_8K}
READY = {"type": "session.updated", "session": {"id": "sess_1"}}


def config(**fields: Any) -> OpenAIRealtimeConfig:
    return OpenAIRealtimeConfig(api_key="sk-test", **fields)


def conversation(audio_format: AudioFormat = PCMU_8K, **fields: Any) -> Conversation:
    """`Brief` fields and `Conversation` fields side by side; a greeting is to be said."""
    names = {"instructions", "greeting", "language", "tools"} & fields.keys()
    brief = Brief(**{name: fields.pop(name) for name in names})
    opening = Opening.GREET if brief.greeting else Opening.LISTEN
    return Conversation(
        **({"audio_in": audio_format, "audio_out": audio_format, "opening": opening} | fields),
        brief=brief,
    )


def conversation_from_json(values: Mapping[str, Any]) -> Conversation:
    fields = dict(values)
    fields["audio_in"], fields["audio_out"] = FORMATS[fields.pop("in")], FORMATS[fields.pop("out")]
    fields["tools"] = [Tool(**tool) for tool in fields.get("tools", ())]
    fields["history"] = [_entry(*entry) for entry in fields.get("history", ())]
    if "opening" in fields:
        fields["opening"] = Opening(fields["opening"])
    return conversation(**fields)


def _entry(who: str, *rest: str) -> Said | Ran:
    return Ran(*rest) if who == "ran" else Said(Speaker(who), *rest)


def encode(message: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(message)


def events(provider: OpenAIRealtime) -> list[ProviderEvent]:
    found = []
    while (event := provider.next_event()) is not None:
        found.append(event)
    return found


def messages(provider: OpenAIRealtime) -> list[bytes]:
    """What goes out on the open channel."""
    found = []
    for action in provider.actions():
        assert isinstance(action, Send)
        assert (action.channel, action.binary) == (CHANNEL, False)
        found.append(action.data)
    return found


def sent(provider: OpenAIRealtime) -> list[dict[str, Any]]:
    return [msgspec.json.decode(message) for message in messages(provider)]


def opened(
    provider: OpenAIRealtime, talk: Conversation | None = None, now: float = 0.0
) -> OpenAIRealtime:
    """Started, and its socket open; its first messages have not been taken."""
    provider.start(talk or conversation(), now)
    (action,) = provider.actions()
    assert isinstance(action, Open)
    provider.receive_open(CHANNEL, now)
    return provider


def ready_provider(
    talk: Conversation | None = None, now: float = 0.0, **fields: Any
) -> OpenAIRealtime:
    """Settings taken, nothing else done; its first messages and events are gone."""
    provider = opened(OpenAIRealtime(config(**fields)), talk, now)
    feed(provider, READY, now)
    sent(provider)
    events(provider)
    return provider


def feed(provider: OpenAIRealtime, message: Mapping[str, Any], now: float = 0.0) -> None:
    provider.receive_message(CHANNEL, encode(message), now)


def begin_response(provider: OpenAIRealtime, response_id: str = "resp_1", now: float = 0.0) -> None:
    feed(provider, {"type": "response.created", "response": {"id": response_id}}, now)


def end_response(
    provider: OpenAIRealtime, response_id: str = "resp_1", now: float = 0.0, **fields: Any
) -> None:
    response = {"id": response_id, "status": "completed"} | fields
    feed(provider, {"type": "response.done", "response": response}, now)


def types(provider: OpenAIRealtime) -> list[str]:
    return [message["type"] for message in sent(provider)]


def audio_delta(
    data: bytes, item_id: str = "item_1", response_id: str = "resp_1", **fields: Any
) -> dict[str, Any]:
    return fields | {
        "type": "response.output_audio.delta",
        "response_id": response_id,
        "item_id": item_id,
        "delta": pybase64.b64encode(data).decode(),
    }


def call_item(number: int, **fields: Any) -> dict[str, Any]:
    item = {
        "type": "function_call",
        "id": f"fc_{number}",
        "status": "completed",
        "call_id": f"call_{number}",
        "name": "lookup",
        "arguments": "{}",
    }
    return item | fields


def ask_for_functions(provider: OpenAIRealtime, *items: dict[str, Any], **fields: Any) -> list[Any]:
    begin_response(provider)
    events(provider)
    end_response(provider, output=list(items), **fields)
    return events(provider)
