"""Helpers for tests of the OpenAI provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pybase64

from bridge.audio.formats import L16_24K, PCMA_8K, PCMU_8K, AudioFormat
from bridge.providers.base import ConversationOptions, ProviderEvent, Speaker, Tool
from bridge.providers.openai.config import OpenAIRealtimeConfig
from bridge.providers.openai.realtime import OpenAIRealtime

FORMATS: dict[str, AudioFormat] = {"L16": L16_24K, "PCMU": PCMU_8K, "PCMA": PCMA_8K}


def config(**fields: Any) -> OpenAIRealtimeConfig:
    return OpenAIRealtimeConfig(api_key="sk-test", **fields)


def options(audio_format: AudioFormat = PCMU_8K, **fields: Any) -> ConversationOptions:
    return ConversationOptions(audio_format, audio_format, **fields)


def options_from_json(values: Mapping[str, Any]) -> ConversationOptions:
    fields = dict(values)
    input_format, output_format = FORMATS[fields.pop("input")], FORMATS[fields.pop("output")]
    fields["tools"] = [Tool(**tool) for tool in fields.get("tools", ())]
    fields["history"] = [(Speaker(who), text) for who, text in fields.get("history", ())]
    return ConversationOptions(input_format, output_format, **fields)


def encode(message: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(message)


def events(provider: OpenAIRealtime) -> list[ProviderEvent]:
    found = []
    while (event := provider.next_event()) is not None:
        found.append(event)
    return found


def sent(provider: OpenAIRealtime) -> list[dict[str, Any]]:
    return [msgspec.json.decode(message) for message in provider.messages_to_send()]


def ready_provider(
    conversation: ConversationOptions | None = None, now: float = 0.0, **fields: Any
) -> OpenAIRealtime:
    """Settings taken, nothing else done; its first messages and events are gone."""
    provider = OpenAIRealtime(config(**fields))
    provider.start(conversation or options(), now)
    feed(provider, {"type": "session.updated", "session": {"id": "sess_1"}}, now)
    sent(provider)
    events(provider)
    return provider


def feed(provider: OpenAIRealtime, message: Mapping[str, Any], now: float = 0.0) -> None:
    provider.receive_message(encode(message), now)


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
    data: bytes, item_id: str = "item_1", response_id: str = "resp_1"
) -> dict[str, Any]:
    return {
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
