"""The chat model: requests, and what comes of a streamed answer. Pure.

Chat completions in OpenAI's shape, as Groq, Ollama, vLLM and llama.cpp serve them. OpenAI sends a
call in fragments, Groq whole; both number calls by `index`. Ollama numbers none, or each 0
(ollama#15457); vLLM says id and name again with the last fragment (vllm#44098); some give arguments
as an object. What a model thinks aloud (`reasoning`, `<think>`) is never spoken.

Not every server takes every field: one that an error names is left out from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bridge.providers.actions import HttpRequest
from bridge.providers.base import ErrorKind, Usage
from bridge.providers.conversation import Tool
from bridge.providers.http_errors import status_kind, text_code, wait_asked_for
from bridge.providers.pipeline.config import PipelineConfig, chat_vendor, key_of
from bridge.providers.pipeline.thoughts import Thoughts
from bridge.wire.channel import ChannelEnd, Ender

FIRST_BYTE_S = 5.0
MAX_ANSWER_CHARS = 20_000
MAX_ARGUMENT_CHARS = 100_000
MAX_CALLS = 32
CHARS_PER_TOKEN = 4
"""For the bill of an answer that was dropped, whose count the server never told: an estimate."""
LEFT_OUT = ("stream_options", "max_completion_tokens", "reasoning_effort", "temperature")
"""Fields that can be done without."""
_MAX_COUNT = 2**31


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: Any = None


class _ToolCall(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Cached(msgspec.Struct):
    cached_tokens: int | None = None


class _Counts(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Cached | None = None


class _Groq(msgspec.Struct):
    usage: _Counts | None = None
    error: Any = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: _Counts | None = None
    x_groq: _Groq | None = None
    error: Any = None
    object: Any = None
    message: Any = None
    """Of vLLM's own errors: `{"object": "error", "message": …, "code": 400}`."""


@dataclass(slots=True)
class Call:
    """A function the model wants run."""

    id: str
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an answer failed."""

    kind: ErrorKind
    code: str
    retry_in_s: float | None = None


@dataclass(slots=True)
class ChatAnswer:
    """One streamed answer."""

    number: int
    asked_chars: int = 0
    finish_reason: str = ""
    """stop | length | tool_calls | content_filter …; empty: not finished."""
    failure: Failure | None = None
    calls: list[Call] = field(default_factory=list)
    _counts: _Counts | None = None
    _chars: int = 0
    _by_index: dict[int, Call] = field(default_factory=dict)
    _thoughts: Thoughts = field(default_factory=Thoughts)

    def receive(self, data: bytes) -> str:
        """Take one event's data; the text that came with it."""
        if data.strip() == b"[DONE]":
            self.finish_reason = self.finish_reason or "stop"
            return ""
        try:
            chunk = msgspec.json.decode(data, type=_Chunk)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self.failure = Failure(ErrorKind.PROTOCOL, "malformed_message")
            return ""
        error = chunk.error or (chunk.x_groq.error if chunk.x_groq else None)
        if chunk.object == "error" and not error:
            error = {"message": chunk.message}
        if error:
            self.failure = _failure(error)
        self._count(chunk)
        text = "".join(self._choice(choice) for choice in chunk.choices or ())
        return self._thoughts.strip(text) + (self._thoughts.finish() if self.finish_reason else "")

    def usage(self, config: PipelineConfig, *, dropped: bool = False) -> Usage | None:
        """The bill; None when there was no answer. `dropped`: we left before the count.

        What a server does not count is estimated: a budget must not be blind to it.
        """
        counts = self._counts
        if counts is None and not (dropped or self._chars or self.finish_reason):
            return None
        if counts is None:
            asked, answered = self.asked_chars // CHARS_PER_TOKEN, self._chars // CHARS_PER_TOKEN
            return Usage(chat_vendor(config), config.model, asked, output_text_tokens=answered)
        cached = counts.prompt_tokens_details
        return Usage(
            chat_vendor(config),
            config.model,
            input_text_tokens=_number(counts.prompt_tokens),
            cached_text_tokens=_number(cached.cached_tokens if cached else None),
            output_text_tokens=_number(counts.completion_tokens),
        )

    def _count(self, chunk: _Chunk) -> None:
        self._counts = chunk.usage or (chunk.x_groq.usage if chunk.x_groq else None) or self._counts

    def _choice(self, choice: _Choice) -> str:
        delta = choice.delta or _Delta()
        for part in delta.tool_calls or ():
            self._call(part)
        self.finish_reason = choice.finish_reason or self.finish_reason
        text = (delta.content or "")[: max(0, MAX_ANSWER_CHARS - self._chars)]
        self._chars += len(text)
        return text

    def _call(self, part: _ToolCall) -> None:
        index = len(self.calls) if part.index is None and part.id else part.index or 0
        call = self._by_index.get(index)
        if call is None or (part.id and part.id != call.id):
            if len(self.calls) >= MAX_CALLS:
                return
            call = Call(part.id or f"call_{self.number}_{len(self.calls)}")
            self._by_index[index] = call
            self.calls.append(call)
        function = part.function or _Function()
        call.name = call.name or (function.name or "")
        call.arguments = (call.arguments + _text(function.arguments))[:MAX_ARGUMENT_CHARS]


def refused_field(end: ChannelEnd, refused: Collection[str]) -> str | None:
    """The field that a server does not take, by its refusal; None: that is not why."""
    if end.by is not Ender.PEER or end.stage != "http" or end.code not in (400, 422):
        return None
    named = (name for name in LEFT_OUT if name.encode() in end.body and name not in refused)
    return next(named, None)


def request(
    config: PipelineConfig,
    messages: Sequence[dict[str, Any]],
    tools: Sequence[Tool],
    refused: Collection[str] = (),
) -> HttpRequest:
    """Ask for an answer to what was said; `refused` are fields the server does not take."""
    body: dict[str, Any] = {
        "model": config.model,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]
    optional = {
        "temperature": config.temperature,
        "max_completion_tokens": config.max_output_tokens,
        "reasoning_effort": config.reasoning_effort,
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    if "max_completion_tokens" in refused and config.max_output_tokens is not None:
        body["max_tokens"] = config.max_output_tokens
    body = {name: value for name, value in body.items() if name not in refused}
    key = key_of(config, "chat")
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    headers |= {"Authorization": f"Bearer {key}"} if key else {}
    scheme, _, rest = config.base_url.rstrip("/").partition("://")
    scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
    return HttpRequest(
        "POST",
        f"{scheme}://{rest}/chat/completions",
        tuple((headers | dict(config.headers)).items()),
        msgspec.json.encode(body | dict(config.extra)),
        server_sent_events=True,
        first_byte_s=FIRST_BYTE_S,
    )


def _tool(tool: Tool) -> dict[str, Any]:
    about = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": about}


def _failure(error: Any) -> Failure:
    told = error if isinstance(error, dict) else {"message": error}
    code = text_code(told.get("code")) or text_code(told.get("type")) or "chat_error"
    message = told.get("message")
    text = message if isinstance(message, str) else ""
    limited = "rate_limit" in code or told.get("type") in ("tokens", "requests")
    kind = ErrorKind.RATE_LIMIT if limited else status_kind(500, code)
    return Failure(kind, code, wait_asked_for(text) if limited else None)


def _text(arguments: Any) -> str:
    """Arguments as JSON text; servers that parse them give an object."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return msgspec.json.encode(arguments).decode()


def _number(value: int | None) -> int:
    return value if value is not None and 0 <= value < _MAX_COUNT else 0
