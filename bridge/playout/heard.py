"""Which part of which item the caller has heard, worked out from what was sent and when.

Positions are bytes, counted from the first byte the call ever played; moments are monotonic
seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from bridge.short_queue import ShortQueue

MAX_ITEMS = 256
"""Pieces of items remembered at once; audio beyond that counts towards the newest one."""


class HeardPosition(NamedTuple):
    """An item, and how much of it the caller has heard."""

    item_id: str
    heard_ms: int


class PacketsHeard(NamedTuple):
    """So many packets of a line reached the caller in all, whoever counted them."""

    packets: int
    until: float
    """What began to be heard later was not, whatever the count says: monotonic seconds."""


class BytesHeard(NamedTuple):
    """So many bytes of all that was sent reached the caller."""

    heard: int


HeardUntil = float | PacketsHeard | BytesHeard | None
"""What was heard of a line that is gone: all that was to be heard by this moment, so much as was
counted, or, None, what is sure by now."""


@dataclass(slots=True)
class _Span:
    item_id: str
    start: int
    end: int


class Timeline:
    """Sent audio, assuming a far end that starts after a fixed delay and then plays steadily."""

    def __init__(
        self,
        rate_hz: int,
        bytes_per_sample: int,
        latency_s: float,
        begins: Callable[[float], float] | None = None,
    ) -> None:
        """`begins`: when a far end with nothing queued starts with what it gets at a moment, not
        counting the delay; None: at once."""
        self.sent = 0
        """Position up to which audio was sent."""
        self.until = 0.0
        """When the audio sent so far runs out, not counting the delay."""
        self._rate_hz = rate_hz
        self._sample = bytes_per_sample
        self._bytes_per_s = rate_hz * bytes_per_sample
        self._latency_s = latency_s
        self._begins = begins
        self._runs: ShortQueue[tuple[float, int]] = ShortQueue()
        """Start of each gapless stretch that still matters, as (moment, position)."""

    def send(self, count: int, now: float) -> None:
        """Record `count` bytes sent; they join what came before unless `until` has passed."""
        if self.until < now or not self._runs:
            begins = now if self._begins is None else self._begins(now)
            self.until = max(self.until, begins)
            self._begin_run(now)
        self.sent += count
        self.until += count / self._bytes_per_s

    def _begin_run(self, now: float) -> None:
        runs = self._runs
        while len(runs) > 1 and runs[1][0] + self._latency_s <= now:
            runs.popleft()  # the next stretch is being heard, so this one is over
        runs.append((self.until, self.sent))

    def heard(self, now: float) -> int:
        """Position of the caller's ear."""
        end = self.sent
        now = min(now, self.until + self._latency_s)
        for began_at, began in reversed(self._runs):
            heard_s = now - began_at - self._latency_s
            if heard_s >= 0:
                return min(end, began + round(heard_s * self._rate_hz) * self._sample)
            end = began
        return end

    def heard_by(self, heard_until: HeardUntil, packet_bytes: int, now: float) -> int:
        """The same for a line that is gone."""
        if isinstance(heard_until, BytesHeard):
            return min(heard_until.heard, self.sent)
        if isinstance(heard_until, PacketsHeard):
            begun = -(-self.heard(heard_until.until) // packet_bytes) * packet_bytes
            return min(heard_until.packets * packet_bytes, begun, self.sent)
        return self.heard(now - self._latency_s if heard_until is None else heard_until)

    def pause(self, pause_s: float) -> None:
        """Leave a pause of `pause_s` between what was sent and what is sent next."""
        self.until += pause_s
        self._runs.append((self.until, self.sent))

    def silence(self, now: float) -> None:
        """The rest of what was sent will not be heard."""
        self._runs.clear()
        self.until = now


class ItemLedger:
    """The items of the current answers, in the order they are heard.

    An item may come in several pieces, with a phrase of ours or padding in between. Audio outside
    all pieces belongs to no item.
    """

    def __init__(self) -> None:
        self._spans: ShortQueue[_Span] = ShortQueue()

    def add(self, item_id: str, start: int, end: int) -> None:
        """The audio from `start` to `end` belongs to `item_id`."""
        spans = self._spans
        if spans:
            last = spans[-1]
            if (last.end == start and last.item_id == item_id) or len(spans) >= MAX_ITEMS:
                last.end = end
                return
        if end > start:
            spans.append(_Span(item_id, start, end))

    def at(self, position: int) -> tuple[str, int] | None:
        """The item being heard at `position` and the bytes of it before that; None without items.

        Past the end of all it is the last item, whole.
        """
        for span in self._spans:
            if position < span.end:
                break
        else:
            if not self._spans:
                return None
            span = self._spans[-1]
        return span.item_id, self.heard_of(span.item_id, position)

    def heard_of(self, item_id: str, position: int) -> int:
        """Bytes of `item_id`, all its pieces, that lie before `position`."""
        return sum(
            max(0, min(position, span.end) - span.start)
            for span in self._spans
            if span.item_id == item_id
        )

    def items(self) -> tuple[str, ...]:
        """Each item once, in the order in which they begin."""
        return tuple(dict.fromkeys(span.item_id for span in self._spans))

    def pieces(self, data: bytes, start: int) -> list[tuple[str, bytes]]:
        """`data`, which begins at position `start`, by items; what belongs to none is left out."""
        end = start + len(data)
        return [
            (span.item_id, data[max(start, span.start) - start : span.end - start])
            for span in self._spans
            if span.end > start and span.start < end
        ]

    def insert(self, position: int, count: int) -> None:
        """What lies behind `position` is heard `count` bytes later: something else comes between.

        Bytes that belong to no item are not counted for any.
        """
        moved: ShortQueue[_Span] = ShortQueue()
        for span in self._spans:
            if span.end <= position:
                moved.append(span)
            elif span.start >= position:
                moved.append(_Span(span.item_id, span.start + count, span.end + count))
            else:
                moved.append(_Span(span.item_id, span.start, position))
                moved.append(_Span(span.item_id, position + count, span.end + count))
        self._spans = moved

    def forget(self) -> None:
        """The answer is over."""
        self._spans.clear()
