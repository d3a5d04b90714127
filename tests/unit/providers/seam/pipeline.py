"""A cascade on the seam, for tests of the seam alone: three channels hear, think and speak.

Deepgram Nova over a WebSocket, a chat model of OpenAI's shape over HTTP for each answer, Piper in
the local speech process. Closing the model's channel is the barge-in; the model's history is cut
by sentence at what was heard.
"""

from __future__ import annotations

import re
import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bridge.audio.formats import L16_8K, PCMU_8K, AudioFormat, Encoding
from bridge.providers.actions import Action, Close, Endpoint, HttpRequest, Open, Send, SpeechService
from bridge.providers.base import (
    Audio,
    CallerStarted,
    CallerStopped,
    Capabilities,
    FunctionCall,
    Heard,
    ProviderEvent,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
    Turns,
    Usage,
)
from bridge.providers.conversation import Conversation, Opening, Ran, Said, Speaker
from bridge.providers.http_errors import end_failure
from bridge.wire.channel import ChannelEnd

STT, LLM, TTS = "stt", "llm", "tts"
PIPER_22K = AudioFormat(Encoding.L16, 22050)
KEEP_ALIVE_S = 4.0
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_PLACE = struct.Struct("<HH")


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    stt_url: str
    llm_url: str
    stt_key: str = field(default="", repr=False)
    llm_key: str = field(default="", repr=False)
    model: str = "m"
    voice: str = "pt"


@dataclass(slots=True)
class _Answer:
    """One answer: its sentences and how long each lasts."""

    number: int
    token: str = ""
    text: str = ""
    """Not yet a sentence."""
    sentences: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    pending: int = 0
    complete: bool = False
    called: bool = False

    @property
    def id(self) -> str:
        return f"p{self.number}"


class Pipeline:
    def __init__(self, config: PipelineConfig) -> None:
        self._config = config
        self._events: deque[ProviderEvent] = deque()
        self._actions: list[Action] = []
        self._messages: list[dict[str, Any]] = []
        self._words: list[str] = []
        self._turns = 0
        self._answer: _Answer | None = None
        self._last: tuple[_Answer, dict[str, Any]] | None = None
        """The last answer, which may be playing still, and how the model remembers it."""
        self._number = 0
        self._calls: dict[str, dict[str, Any]] = {}
        self._open: set[str] = set()
        self._conversation: Conversation | None = None
        self._ready = False
        self._heard_s = 0.0
        self._idle_at: float | None = None

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities((PCMU_8K, L16_8K), (PIPER_22K,), Turns.TOLD)

    # life

    def start(self, conversation: Conversation, now: float) -> None:
        self._conversation = conversation
        self._messages = [{"role": "system", "content": conversation.brief.instructions}]
        self._messages += [_message(entry) for entry in conversation.history]
        headers = (("Authorization", f"Token {self._config.stt_key}"),)
        self._actions += [
            Open(STT, Endpoint(self._config.stt_url, headers)),
            Open(TTS, SpeechService("piper", {"voice": self._config.voice})),
        ]

    def stop(self, now: float) -> None:
        self._actions += [Send(STT, b'{"type":"CloseStream"}'), Close(LLM), Close(TTS), Close(STT)]
        self._bill()

    def successor(self) -> Pipeline:
        return Pipeline(self._config)

    # in

    def receive_open(self, channel: str, now: float) -> None:
        self._open.add(channel)
        if channel == STT:
            self._idle_at = now + KEEP_ALIVE_S
        talk = self._conversation
        if self._ready or talk is None or not {STT, TTS} <= self._open:
            return
        self._ready = True
        self._events.append(SessionReady("", talk.audio_in, PIPER_22K))
        if talk.opening is Opening.GREET:
            self.say(talk.brief.greeting, talk.opening_token, now)
        elif talk.opening is Opening.ANSWER:
            self.answer(now)

    def receive_message(self, channel: str, data: bytes, now: float) -> None:
        {STT: self._on_stt, LLM: self._on_llm, TTS: self._on_tts}[channel](data, now)

    def receive_end(self, channel: str, end: ChannelEnd, now: float) -> None:
        failure = end_failure(end)
        if channel != LLM:
            self._bill()
            self._events.append(failure)
            return
        answer = self._answer
        if answer is None or answer.complete:
            return
        self._answer = None
        self._events.append(
            ResponseDone(
                answer.id,
                "failed",
                failure.code,
                failure.kind,
                bool(answer.sizes and any(answer.sizes)),
                failure.retry_in_s,
            )
        )

    # out

    def next_event(self) -> ProviderEvent | None:
        return self._events.popleft() if self._events else None

    def actions(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions

    # commands

    def send_audio(self, data: bytes) -> None:
        """A frame without bytes would close the stream."""
        if data and STT in self._open:
            assert self._conversation is not None
            self._heard_s += self._conversation.audio_in.ms_for_bytes(len(data)) / 1000
            self._actions.append(Send(STT, data, binary=True))

    def begin_turn(self, now: float) -> None:
        """Turns are told."""

    def end_turn(self, now: float) -> None:
        """Turns are told."""

    def probe(self, now: float) -> None:
        """`notices_within_s` is None."""

    def send_text(self, text: str, now: float) -> None:
        self._messages.append({"role": "user", "content": text})
        self.answer(now)

    def inform(self, text: str, *, respond: bool, now: float) -> None:
        self._messages.append({"role": "system", "content": text})
        if respond:
            self.answer(now)

    def say(self, text: str, token: str, now: float) -> None:
        answer = self._begin(token)
        answer.complete = True
        self._speak(answer, text)

    def answer(self, now: float) -> None:
        if self._calls:
            return
        self._begin("")
        body = {"model": self._config.model, "messages": self._messages, "stream": True}
        headers = (("Authorization", f"Bearer {self._config.llm_key}"),)
        request = HttpRequest(
            "POST", self._config.llm_url, headers, msgspec.json.encode(body), True
        )
        self._actions.append(Open(LLM, request))

    def send_function_result(self, call_id: str, output: str, *, failed: bool, now: float) -> None:
        self._messages.append({"role": "tool", "tool_call_id": call_id, "content": output})
        if self._calls.pop(call_id, None) is not None and not self._calls:
            self.answer(now)

    def cut(self, heard: Sequence[Heard], now: float) -> None:
        """Stop both stages; keep of the answer the sentences that were begun to be heard."""
        answer, self._answer = self._answer, None
        self._actions.append(Close(LLM))
        if answer is not None:
            self._actions.append(Send(TTS, b"X"))
            self._last = answer, {"role": "assistant", "content": ""}
            self._messages.append(self._last[1])
        if self._last is not None:
            answer, message = self._last
            kept = _heard_sentences(answer, dict(heard).get(answer.id, 0))
            message["content"] = " ".join([*kept, "…"])

    # time

    def next_deadline(self) -> float | None:
        return self._idle_at

    def handle_timeout(self, now: float) -> None:
        if self._idle_at is not None and now >= self._idle_at:
            self._idle_at = now + KEEP_ALIVE_S
            self._actions.append(Send(STT, b'{"type":"KeepAlive"}'))

    # stages

    def _on_stt(self, data: bytes, now: float) -> None:
        message: dict[str, Any] = msgspec.json.decode(data)
        if message.get("type") == "SpeechStarted":
            self._events.append(CallerStarted())
        if message.get("type") != "Results" or not message.get("is_final"):
            return
        text = message["channel"]["alternatives"][0]["transcript"]
        if text:
            self._words.append(text)
        if message.get("speech_final"):
            said, self._words = " ".join(self._words), []
            self._events.append(CallerStopped(expects_answer=bool(said)))
            if said:
                self._turns += 1
                self._events.append(Transcript(Speaker.CALLER, f"c{self._turns}", said))
                self.send_text(said, now)

    def _on_llm(self, data: bytes, now: float) -> None:
        answer = self._answer
        if answer is None or data == b"[DONE]":
            return
        chunk: dict[str, Any] = msgspec.json.decode(data)
        if usage := chunk.get("usage"):
            tokens = usage["prompt_tokens"], usage["completion_tokens"]
            self._events.append(
                Usage("groq", self._config.model, tokens[0], output_text_tokens=tokens[1])
            )
        for choice in chunk["choices"]:
            self._on_choice(answer, choice)

    def _on_choice(self, answer: _Answer, choice: dict[str, Any]) -> None:
        answer.text += choice["delta"].get("content") or ""
        for call in choice["delta"].get("tool_calls", ()):
            answer.called = True
            self._calls[call["id"]] = call
            made = call["function"]
            self._events.append(
                FunctionCall(call["id"], made["name"], made["arguments"], answer.id)
            )
        *ready, answer.text = _SENTENCE.split(answer.text)
        if choice.get("finish_reason"):
            ready, answer.text, answer.complete = [*ready, answer.text], "", True
        for sentence in filter(None, ready):
            self._speak(answer, sentence)
        self._done_if_over(answer)

    def _on_tts(self, data: bytes, now: float) -> None:
        number, index = _PLACE.unpack_from(data, 1)
        answer = self._answer
        if answer is None or number != answer.number:
            return
        if data[:1] == b"A":
            answer.sizes[index] += len(data) - 5
            self._events.append(Audio(answer.id, answer.id, data[5:]))
            return
        answer.pending -= 1
        self._done_if_over(answer)

    # inside

    def _begin(self, token: str) -> _Answer:
        self._number += 1
        self._answer = _Answer(self._number, token)
        self._events.append(ResponseStarted(self._answer.id, token))
        return self._answer

    def _speak(self, answer: _Answer, sentence: str) -> None:
        place = _PLACE.pack(answer.number, len(answer.sentences))
        answer.sentences.append(sentence)
        answer.sizes.append(0)
        answer.pending += 1
        self._actions.append(Send(TTS, b"S" + place + sentence.encode()))

    def _done_if_over(self, answer: _Answer) -> None:
        if not answer.complete or answer.pending or self._answer is not answer:
            return
        self._answer = None
        text = " ".join(answer.sentences)
        if answer.called or text:
            self._last = answer, self._own_message(text, called=answer.called)
            self._messages.append(self._last[1])
        if text:
            self._events.append(Transcript(Speaker.AGENT, answer.id, text))
        spoke = bool(text) or answer.called
        self._events.append(ResponseDone(answer.id, "completed", spoke=spoke))

    def _own_message(self, text: str, *, called: bool) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": text}
        return message | ({"tool_calls": list(self._calls.values())} if called else {})

    def _bill(self) -> None:
        """Hearing is billed by the second."""
        seconds, self._heard_s = self._heard_s, 0.0
        if seconds:
            self._events.append(Usage("deepgram", "nova-3", audio_seconds=seconds))


def _heard_sentences(answer: _Answer, heard_ms: int) -> list[str]:
    kept, ms = [], 0
    for sentence, size in zip(answer.sentences, answer.sizes, strict=True):
        if ms < heard_ms:
            kept.append(sentence)
        ms += PIPER_22K.ms_for_bytes(size)
    return kept


def _message(entry: Said | Ran) -> dict[str, Any]:
    if isinstance(entry, Said):
        return {"role": entry.speaker.value, "content": entry.text}
    return {"role": "system", "content": f"{entry.name}({entry.arguments}) ran: {entry.output}"}
