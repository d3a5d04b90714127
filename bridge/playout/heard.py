"""Which piece of the conversation lies where in a call's played audio.

Positions are bytes, counted from the first byte the call ever played.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

MAX_ITEMS = 256
"""Items remembered at once; audio of more items counts as the newest one's."""


class HeardPosition(NamedTuple):
    """How far into which item the caller has listened."""

    item_id: str
    heard_ms: int


@dataclass(slots=True)
class _Span:
    item_id: str
    start: int
    end: int


class ItemLedger:
    """The items of the current answers, in the order they are heard."""

    def __init__(self) -> None:
        self._spans: deque[_Span] = deque()

    def add(self, item_id: str, start: int, end: int) -> None:
        """Audio of `item_id` lies from `start` to `end`."""
        spans = self._spans
        if spans and (spans[-1].item_id == item_id or len(spans) >= MAX_ITEMS):
            spans[-1].end = end
        else:
            spans.append(_Span(item_id, start, end))

    def at(self, position: int) -> tuple[str, int] | None:
        """The item being heard at `position` and the bytes of it before that; None without items.

        Past the end of all it is the last item, whole.
        """
        for span in self._spans:
            if position < span.end:
                return span.item_id, max(0, position - span.start)
        return (span.item_id, span.end - span.start) if self._spans else None

    def heard_of(self, item_id: str, position: int) -> int:
        """Bytes of `item_id` that lie before `position`."""
        for span in self._spans:
            if span.item_id == item_id:
                return max(0, min(position, span.end) - span.start)
        return 0

    def forget(self) -> None:
        """The answer is over."""
        self._spans.clear()
