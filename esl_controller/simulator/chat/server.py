"""A listening chat model: `ChatEmulator(config).start()` gives its base URL.

`POST …/chat/completions`, streamed (OpenAI API reference, Chat; Groq API reference, 2026-11). Calls
come whole in one chunk, as Groq sends them, or in fragments, as OpenAI does.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import gevent
import msgspec
from gevent.pywsgi import WSGIServer

from esl_controller.simulator.service.script import Answer, Script

StartResponse = Callable[..., Any]
TOKENS_A_CHAR = 0.25
_REASONS = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


@dataclass(frozen=True, slots=True)
class ChatFaults:
    """What goes wrong with one request."""

    refuse_status: int | None = None
    message: str = "Refused on demand."
    code: str = "refused"
    first_byte_s: float = 0.0
    cut_after_chunks: int | None = None
    """The connection ends in the middle of the stream."""
    garbage_after_chunks: int | None = None
    stall_after_chunks: int | None = None
    """Nothing comes any more; the connection stays."""
    error_after_chunks: int | None = None
    """An error comes in the stream."""


LIMITED = ChatFaults(
    refuse_status=429,
    message="Rate limit reached for model. Please try again in 1.5s.",
    code="rate_limit_exceeded",
)
STALL_S = 3600.0


@dataclass(frozen=True, slots=True)
class ChatConfig:
    """Everything that can be set."""

    host: str = "127.0.0.1"
    port: int = 0
    api_keys: frozenset[str] | None = field(default=None, repr=False)
    """None lets in everybody, as servers of one's own do."""
    script: Script = field(default_factory=Script)
    think_s: float = 0.02
    word_s: float = 0.005
    fragments: bool = False
    """Calls come in pieces."""


class ChatEmulator:
    """Answers requests and keeps their bodies."""

    def __init__(self, config: ChatConfig | None = None) -> None:
        self.config = config or ChatConfig()
        self.requests: list[dict[str, Any]] = []
        self.open = 0
        """Answers that are being streamed."""
        self._queued: deque[ChatFaults] = deque()
        self._server: WSGIServer | None = None
        self._numbers = itertools.count(1)

    def queue_faults(self, *faults: ChatFaults) -> None:
        """For the next requests, one each."""
        self._queued.extend(faults)

    def start(self) -> str:
        """Listen; give the base URL, such as `http://127.0.0.1:40124/openai/v1`."""
        self._server = WSGIServer((self.config.host, self.config.port), self._serve, log=None)
        self._server.start()
        return f"http://{self.config.host}:{self._server.server_port}/openai/v1"

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.stop(timeout=0)
            self._server = None

    def _serve(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        faults = self._queued.popleft() if self._queued else ChatFaults()
        gevent.sleep(faults.first_byte_s)
        refusal = self._refusal(environ, faults)
        if refusal is not None:
            return _refused(start, *refusal)
        body = msgspec.json.decode(environ["wsgi.input"].read(), type=dict[str, Any])
        if not body.get("model") or not isinstance(body.get("messages"), list):
            return _refused(start, 400, "invalid_request_error", "model and messages are needed")
        self.requests.append(body)
        start("200 OK", [("Content-Type", "text/event-stream"), ("x-request-id", "req_1")])
        return self._stream(body, faults)

    def _refusal(self, environ: dict[str, Any], faults: ChatFaults) -> tuple[int, str, str] | None:
        if faults.refuse_status is not None:
            return faults.refuse_status, faults.code, faults.message
        if not environ["PATH_INFO"].endswith("/chat/completions"):
            return 404, "unknown_url", "Unknown request URL."
        key = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        if self.config.api_keys is not None and key not in self.config.api_keys:
            return 401, "invalid_api_key", "Invalid API Key"
        return None

    def _stream(self, body: dict[str, Any], faults: ChatFaults) -> Iterator[bytes]:
        self.open += 1
        try:
            gevent.sleep(self.config.think_s)
            for count, chunk in enumerate(self.chunks(body)):
                if faults.cut_after_chunks == count:
                    return
                if faults.stall_after_chunks == count:
                    gevent.sleep(STALL_S)
                if faults.garbage_after_chunks == count:
                    yield b'data: {"choices": 7\n\n'
                if faults.error_after_chunks == count:
                    error = {"message": LIMITED.message, "type": "tokens", "code": LIMITED.code}
                    yield _event({"error": error})
                    return
                yield _event(chunk)
                gevent.sleep(self.config.word_s)
            yield b"data: [DONE]\n\n"
        finally:
            self.open -= 1

    def chunks(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The whole answer to a request."""
        answer = self._answer(body["messages"])
        number = next(self._numbers)
        head = {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion.chunk",
            "created": 1_780_000_000,
            "model": body["model"],
        }

        def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
            return {**head, "choices": [choice], **more}

        yield chunk({"role": "assistant", "content": ""}, x_groq={"id": f"req_{number}"})
        for word in answer.text.split(" ") if answer.text else []:
            yield chunk({"content": f"{word} "})
        for delta in self._calls(answer, number):
            yield chunk(delta)
        usage = _usage(body["messages"], answer.text)
        yield chunk({}, "tool_calls" if answer.calls else "stop", x_groq={"usage": usage})
        if (body.get("stream_options") or {}).get("include_usage"):
            yield {**head, "choices": [], "usage": usage}

    def _answer(self, messages: list[dict[str, Any]]) -> Answer:
        script, last = self.config.script, messages[-1]
        if last["role"] == "tool":
            return script.answer_function(last["content"])
        said = [message["content"] for message in messages if message["role"] == "user"]
        return script.answer_text(said[-1] if said else "", max(0, len(said) - 1))

    def _calls(self, answer: Answer, number: int) -> Iterator[dict[str, Any]]:
        whole = [
            {
                "index": index,
                "id": f"call_{number}_{index}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(answer.calls)
        ]
        if whole and not self.config.fragments:
            yield {"tool_calls": whole}
            return
        for call in whole:
            function = call["function"]
            assert isinstance(function, dict)
            yield {"tool_calls": [call | {"function": function | {"arguments": ""}}]}
            for letter in function["arguments"]:
                part = {"index": call["index"], "function": {"arguments": letter}}
                yield {"tool_calls": [part]}


def _refused(start: StartResponse, status: int, code: str, message: str) -> list[bytes]:
    kind = "tokens" if status == 429 else "invalid_request_error"
    error = {"message": message, "type": kind, "code": code}
    headers = [("Content-Type", "application/json")]
    start(f"{status} {_REASONS.get(status, 'Error')}", headers)
    return [msgspec.json.encode({"error": error})]


def _event(data: dict[str, Any]) -> bytes:
    return b"data: " + msgspec.json.encode(data) + b"\n\n"


def _usage(messages: list[dict[str, Any]], text: str) -> dict[str, Any]:
    asked = round(sum(len(str(one.get("content") or "")) for one in messages) * TOKENS_A_CHAR)
    answered = round(len(text) * TOKENS_A_CHAR)
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
