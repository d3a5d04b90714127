"""A pipeline, and what its stages say, in their own words."""

from __future__ import annotations

from typing import Any

import msgspec

from bridge.audio.formats import L16_8K, PCMU_8K
from bridge.providers.actions import Action, HttpRequest, Open, Send
from bridge.providers.base import ProviderEvent, ProviderProtocol
from bridge.providers.conversation import Brief, Conversation
from bridge.providers.pipeline.config import PipelineConfig
from bridge.providers.pipeline.realtime import STT, Pipeline
from bridge.providers.pipeline.replies import CHAT
from bridge.providers.pipeline.speaking import TTS
from bridge.speech.messages import Told, encode_reply

encode = msgspec.json.encode
KEYS = "stt=dg-s3cret,chat=gsk-s3cret"


def chunk(text: str = "", finish: str | None = None, **more: Any) -> bytes:
    """One chunk of a chat model's answer."""
    delta = {"content": text} | more
    return encode({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def counts(asked: int, answered: int, cached: int = 0) -> bytes:
    """The chunk with the bill."""
    usage = {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return encode({"choices": [], "usage": usage})


def call(call_id: str, name: str = "book", arguments: str = "{}", index: int = 0) -> dict[str, Any]:
    """A function call, whole."""
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "type": "function", "function": function}


def results(text: str, *, final: bool = True, over: bool = True) -> bytes:
    """Nova's `Results`."""
    heard = {"alternatives": [{"transcript": text, "confidence": 0.9}]}
    flags = {"is_final": final, "speech_final": over}
    return encode({"type": "Results", "channel_index": [0, 1], "channel": heard} | flags)


class Talk:
    """A pipeline and all that comes of it."""

    def __init__(self, conversation: Conversation | None = None, **config: Any) -> None:
        self.now = 0.0
        self.pipeline = Pipeline(PipelineConfig(**{"api_key": KEYS} | config))
        brief = Brief("Be kind.", "", "pt-BR")
        self.pipeline.start(conversation or Conversation(PCMU_8K, L16_8K, brief), 0.0)

    def ready(self) -> Talk:
        """Hearing and voice are there."""
        self.pipeline.actions()
        self.pipeline.receive_open(TTS, 0.1)
        assert events(self.pipeline) == []
        self.pipeline.receive_open(STT, 0.2)
        events(self.pipeline)
        return self

    def heard(self, *messages: bytes) -> list[ProviderEvent]:
        for message in messages:
            self.pipeline.receive_message(STT, message, self.now)
        return events(self.pipeline)

    def thought(self, *chunks: bytes) -> list[ProviderEvent]:
        for one in chunks:
            self.pipeline.receive_message(CHAT, one, self.now)
        return events(self.pipeline)

    def spoke(self, number: int, ms: int, *, done: bool = True) -> list[ProviderEvent]:
        """Sound of a sentence."""
        audio = b"\x01\x00" * (8 * ms)
        if audio:
            self.pipeline.receive_message(TTS, encode_reply(Told.AUDIO, number, audio), self.now)
        if done:
            self.pipeline.receive_message(TTS, encode_reply(Told.DONE, number), self.now)
        return events(self.pipeline)

    def asked(self) -> list[dict[str, Any]]:
        """The messages of the last request that was made."""
        requests = [action for action in self.pipeline.actions() if isinstance(action, Open)]
        action = requests[-1]
        assert isinstance(action.target, HttpRequest)
        messages: list[dict[str, Any]] = msgspec.json.decode(action.target.body)["messages"]
        return messages

    def said(self) -> list[str]:
        """Sentences the voice was given since the last look."""
        return sentences(self.pipeline.actions())


def sentences(actions: list[Action]) -> list[str]:
    sent = [a for a in actions if isinstance(a, Send) and a.channel == TTS]
    told = [msgspec.json.decode(action.data) for action in sent]
    return [one["text"] if "say" in one else "<cancel>" for one in told]


def events(provider: ProviderProtocol) -> list[ProviderEvent]:
    found = []
    while (event := provider.next_event()) is not None:
        found.append(event)
    return found


def kinds(found: list[ProviderEvent]) -> list[str]:
    return [type(event).__name__ for event in found]
