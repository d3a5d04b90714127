"""OpenAI Realtime: which functions the model wants run, each of them once.

A call is told up to three times: by `response.function_call_arguments.done`,
`response.output_item.done` and `response.done`; look-alikes leave out one or the other, and
some tell a call again. Calls are gathered and run at the end of their response, when it is known
not to have been cancelled.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bridge.errors import RemoteProtocolError
from bridge.providers.base import FunctionCall
from bridge.providers.openai.events import arguments_text
from bridge.providers.openai.structures import CallEvent, Item

MAX_OPEN_CALLS = 64
"""Function calls that may wait for their results at the same time."""
MAX_REMEMBERED = 1024
"""Calls that are known to have been told."""
MAX_GATHERED = 128
_RUNNABLE = ("completed", "incomplete")
"""Responses whose completed function calls are carried out; a cancelled one's are not."""


class FunctionCalls:
    """All calls of one session."""

    def __init__(self) -> None:
        self._told: dict[str, None] = {}
        self._open: set[str] = set()
        self._names: dict[str, str] = {}
        """Of items announced by `response.output_item.added`."""
        self._gathered: dict[str, dict[str, FunctionCall]] = {}
        """By response, then by `call_id`."""

    @property
    def open(self) -> int:
        """How many results are awaited."""
        return len(self._open)

    def announced(self, item: Item) -> None:
        """An item began: its name may come now and never again."""
        if item.type == "function_call" and item.id and item.name:
            self._names[item.id] = item.name
            _forget_oldest(self._names, MAX_GATHERED)

    def arguments_done(self, event: CallEvent) -> None:
        """The arguments of a call are complete."""
        name = event.name or self._names.get(event.item_id or "", "")
        if event.call_id and name:
            call = FunctionCall(
                event.call_id, name, arguments_text(event.arguments), event.response_id or ""
            )
            self._gather(call)

    def item_done(self, item: Item, response_id: str) -> None:
        """An output item is complete."""
        call = _function_call(item, response_id)
        if call is not None:
            self._gather(call)

    def run(self, response_id: str, status: str, output: Iterable[Item]) -> list[FunctionCall]:
        """The calls of a response that has ended, without those told before.

        Raises:
            RemoteProtocolError: no call but one without a name, or too many at once.
        """
        gathered = self._gathered.pop(response_id, {})
        gathered |= self._gathered.pop("", {})
        if status not in _RUNNABLE:
            return []
        calls: dict[str, FunctionCall] = {}
        for item in output:
            if item.type == "function_call" and item.status not in (None, "completed"):
                gathered.pop(item.call_id or "", None)
                continue
            call = _function_call(item, response_id)
            if call is not None:
                calls.setdefault(call.call_id, call)
        for call_id, call in gathered.items():
            calls.setdefault(call_id, call)
        if not calls and any(_is_nameless(item) for item in output):
            raise RemoteProtocolError("function call without call_id or name")
        return self._new(list(calls.values()))

    def answered(self, call_id: str) -> bool:
        """A result is here; False when it was not awaited."""
        if call_id not in self._open:
            return False
        self._open.discard(call_id)
        return True

    def _new(self, calls: list[FunctionCall]) -> list[FunctionCall]:
        new = [call for call in calls if call.call_id not in self._told]
        if len(new) + len(self._open) > MAX_OPEN_CALLS:
            raise RemoteProtocolError(f"more than {MAX_OPEN_CALLS} function calls at once")
        for call in new:
            self._told[call.call_id] = None
            self._open.add(call.call_id)
        _forget_oldest(self._told, MAX_REMEMBERED)
        return new

    def _gather(self, call: FunctionCall) -> None:
        """The first telling counts, as long as it has arguments."""
        calls = self._gathered.setdefault(call.response_id, {})
        known = calls.get(call.call_id)
        if known is None or not known.arguments:
            calls[call.call_id] = call
        _forget_oldest(calls, MAX_GATHERED)
        _forget_oldest(self._gathered, 8)


def _function_call(item: Item, response_id: str) -> FunctionCall | None:
    if item.type != "function_call" or item.status not in (None, "completed"):
        return None
    if not item.call_id or not item.name:
        return None
    return FunctionCall(item.call_id, item.name, arguments_text(item.arguments), response_id)


def _is_nameless(item: Item) -> bool:
    whole = item.type == "function_call" and item.status in (None, "completed")
    return whole and not (item.call_id and item.name)


def _forget_oldest(remembered: dict[str, Any], limit: int) -> None:
    while len(remembered) > limit:
        del remembered[next(iter(remembered))]
