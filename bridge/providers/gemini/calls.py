"""Gemini Live: functions the model has called, until their results are sent.

The model goes on with a tool response; results of functions called together go together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from bridge.providers.base import FunctionCall
from bridge.providers.gemini.messages import Call

MAX_OPEN_CALLS = 32
MAX_REMEMBERED = 64
"""Cancelled calls, whose results nobody wants."""


class FunctionCalls:
    """What runs, what is ready, what was cancelled."""

    def __init__(self) -> None:
        self._open: dict[str, str] = {}
        """Names by id."""
        self._ready: list[dict[str, Any]] = []
        self._cancelled: dict[str, None] = {}

    @property
    def open(self) -> int:
        """How many run."""
        return len(self._open)

    def called(self, call: Call, response_id: str) -> FunctionCall | None:
        """The model wants it run; None: it has no id or name, is known, or is one too many."""
        if not call.id or not call.name or call.id in self._open or call.id in self._cancelled:
            return None
        if len(self._open) >= MAX_OPEN_CALLS:
            return None
        self._open[call.id] = call.name
        arguments = bytes(call.args).decode("utf-8", "replace")
        return FunctionCall(
            call.id, call.name, "{}" if arguments == "null" else arguments, response_id
        )

    def cancelled(self, call_id: str) -> bool:
        """Its result is no longer wanted; False when nothing is known of it."""
        ready = len(self._ready)
        self._ready = [result for result in self._ready if result["id"] != call_id]
        if self._open.pop(call_id, None) is None and len(self._ready) == ready:
            return False
        self._cancelled[call_id] = None
        while len(self._cancelled) > MAX_REMEMBERED:
            del self._cancelled[next(iter(self._cancelled))]
        return True

    def was_cancelled(self, call_id: str) -> bool:
        """Whether nobody waits for its result."""
        return call_id in self._cancelled

    def answered(self, call_id: str, output: str, *, failed: bool) -> bool:
        """Keep a result; False when no such function runs."""
        name = self._open.pop(call_id, None)
        if name is None:
            return False
        response = {"error" if failed else "output": _value(output)}
        self._ready.append({"id": call_id, "name": name, "response": response})
        return True

    @property
    def ready(self) -> bool:
        """There are results, and nothing runs any more."""
        return bool(self._ready) and not self._open

    def take_ready(self, told: Sequence[str] = ()) -> dict[str, Any]:
        """The message with all results; `told`: what the model is to know besides."""
        ready, self._ready = self._ready, []
        if told:
            _tell_with(ready[-1]["response"], told)
        return {"toolResponse": {"functionResponses": ready}}


def _tell_with(response: dict[str, Any], told: Sequence[str]) -> None:
    """Beside `output` or `error` other fields are not read (API reference, `FunctionResponse`)."""
    for name, value in response.items():
        response[name] = {"result": value, "told_meanwhile": list(told)}


def _value(output: str) -> Any:
    """A result as JSON if it is some: inside an object any value may stand."""
    try:
        return msgspec.json.decode(output)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return output
