"""The chat model: requests, and what comes of a streamed answer. Pure.

Chat completions in OpenAI's shape, as Groq, Ollama, vLLM and llama.cpp serve them. OpenAI sends a
call in fragments, Groq whole; both number calls by `index`, and some servers use an index twice
with another `id`. What a model thinks aloud (`reasoning`) is never spoken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bridge.providers.actions import HttpRequest
from bridge.providers.base import ErrorKind, Usage
from bridge.providers.conversation import Tool
from bridge.providers.http_errors import status_kind, text_code, wait_asked_for
from bridge.providers.pipeline.config import PipelineConfig, chat_vendor, key_of

FIRST_BYTE_S = 5.0
MAX_ANSWER_CHARS = 20_000
MAX_ARGUMENT_CHARS = 100_000
MAX_CALLS = 32
CHARS_PER_TOKEN = 4
"""For the bill of an answer that was dropped, whose count the server never told: an estimate."""
_MAX_COUNT = 2**31


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(msgspec.Struct):
    index: int = 0
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
    choices: list[_Choice] = []
    usage: _Counts | None = None
    x_groq: _Groq | None = None
    error: Any = None


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
        if error:
            self.failure = _failure(error)
        self._count(chunk)
        return "".join(self._choice(choice) for choice in chunk.choices)

    def usage(self, config: PipelineConfig, *, dropped: bool = False) -> Usage | None:
        """The bill; None when nothing was counted. `dropped`: we left before the count."""
        counts = self._counts
        if counts is None and not dropped:
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
        call = self._by_index.get(part.index)
        if call is None or (part.id and part.id != call.id):
            if len(self.calls) >= MAX_CALLS:
                return
            call = Call(part.id or f"call_{self.number}_{len(self.calls)}")
            self._by_index[part.index] = call
            self.calls.append(call)
        function = part.function or _Function()
        call.name = call.name or (function.name or "")
        call.arguments = (call.arguments + (function.arguments or ""))[:MAX_ARGUMENT_CHARS]


def request(
    config: PipelineConfig, messages: Sequence[dict[str, Any]], tools: Sequence[Tool]
) -> HttpRequest:
    """Ask for an answer to what was said."""
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


def _number(value: int | None) -> int:
    return value if value is not None and 0 <= value < _MAX_COUNT else 0
