"""Gemini Live: functions the model has called, until their results are sent.

The model goes on with a tool response; results of functions called together go together.
"""

from __future__ import annotations

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
        if self._open.pop(call_id, None) is None:
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

    def take_ready(self) -> dict[str, Any] | None:
        """The message with all results, as soon as nothing runs any more."""
        if self._open or not self._ready:
            return None
        ready, self._ready = self._ready, []
        return {"toolResponse": {"functionResponses": ready}}


def _value(output: str) -> Any:
    """A result as JSON if it is some: inside an object any value may stand."""
    try:
        return msgspec.json.decode(output)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return output
