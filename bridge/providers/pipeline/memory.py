"""What the chat model is told of the conversation: only what was really heard. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.providers.conversation import Ran, Said, Speaker
from bridge.providers.pipeline.chat import Call

MAX_CHARS = 24_000
"""About 6,000 tokens; the oldest are left out first."""
MAX_ENTRIES = 2000
RUNNING = "still running: the result will be told"


@dataclass(slots=True)
class Entry:
    """Something said, or done; without words and functions it is not told."""

    role: str
    text: str = ""
    calls: list[Call] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)

    def messages(self) -> list[dict[str, Any]]:
        """As the model is told: a call's result right behind it, as every server demands."""
        if not self.calls:
            return [{"role": self.role, "content": self.text}] if self.text else []
        made = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in self.calls
        ]
        told: dict[str, Any] = {"role": self.role, "content": self.text, "tool_calls": made}
        results = (
            {
                "role": "tool",
                "tool_call_id": call.id,
                "content": self.results.get(call.id, RUNNING),
            }
            for call in self.calls
        )
        return [told, *results]

    @property
    def chars(self) -> int:
        """About how long it is."""
        made = sum(len(call.name) + len(call.arguments) for call in self.calls)
        return len(self.text) + made + sum(map(len, self.results.values()))


class Memory:
    """One conversation."""

    def __init__(self, instructions: str, history: Sequence[Said | Ran]) -> None:
        self._instructions = instructions
        self._entries: list[Entry] = [_before(entry) for entry in history]
        self._running: dict[str, Entry] = {}
        self._called: set[str] = set()

    @property
    def running(self) -> bool:
        """Whether a function's result is awaited."""
        return bool(self._running)

    def caller(self, text: str) -> None:
        """The caller said this."""
        self._add(Entry("user", text))

    def told(self, text: str) -> None:
        """Something nobody said."""
        self._add(Entry("system", text))

    def agent(self) -> Entry:
        """The place of an answer that begins."""
        return self._add(Entry("assistant"))

    def called(self, entry: Entry, calls: Iterable[Call]) -> None:
        """The answer asked for functions. Servers of one's own may use an id twice."""
        entry.calls = list(calls)
        for call in entry.calls:
            if call.id in self._called:
                call.id = f"{call.id}_{len(self._called)}"
            self._called.add(call.id)
        self._running |= {call.id: entry for call in entry.calls}

    def result(self, call_id: str, output: str) -> None:
        """A function has run; one nobody here asked for belongs to an earlier session."""
        entry = self._running.pop(call_id, None)
        if entry is None:
            self.told(f"Result of a function called earlier: {output}")
        else:
            entry.results[call_id] = output

    def messages(self) -> list[dict[str, Any]]:
        """The conversation for a request, the latest of it."""
        kept: list[Entry] = []
        room = MAX_CHARS
        for entry in reversed(self._entries):
            room -= entry.chars
            if room < 0 and kept:
                break
            kept.append(entry)
        told = [message for entry in reversed(kept) for message in entry.messages()]
        first = [{"role": "system", "content": self._instructions}] if self._instructions else []
        return first + told

    def _add(self, entry: Entry) -> Entry:
        self._entries.append(entry)
        if len(self._entries) > MAX_ENTRIES:
            del self._entries[0]
        return entry


def _before(entry: Said | Ran) -> Entry:
    if isinstance(entry, Ran):
        return Entry("system", f"{entry.name}({entry.arguments}) ran: {entry.output}")
    return Entry("user" if entry.speaker is Speaker.CALLER else "assistant", entry.text)
