"""The one queue of audio between a provider and a caller's ear.

A provider sends an answer much faster than it is spoken, so minutes may wait here. One owner
writes, reads and clears it; nothing else buffers. It counts everything that passes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bridge.errors import LocalProtocolError

_MERGE_BELOW = 512
"""Shorter chunks are joined, or a peer that sends two bytes at a time could make the bookkeeping
larger than the audio."""


@dataclass(slots=True)
class RingCounters:
    """Totals in bytes since the buffer was created."""

    written: int = 0
    """Accepted."""
    read: int = 0
    dropped: int = 0
    """Refused because the buffer was full."""
    cleared: int = 0
    """Discarded by `clear`."""
    high_water_hits: int = 0
    """How often the depth rose to the high-water mark."""
    peak: int = 0
    """Greatest depth."""


class RingBuffer:
    """First in, first out, byte by byte, up to `limit` bytes.

    Kept as a queue of the chunks that were written: reading 20 ms out of a 100 ms chunk is one
    slice, and minutes of waiting audio are never moved.
    """

    def __init__(self, limit: int, *, low_water: int = 0, high_water: int | None = None) -> None:
        high = limit if high_water is None else high_water
        if not 0 <= low_water <= high <= limit:
            raise LocalProtocolError("water marks must lie in 0 <= low <= high <= limit")
        self.limit = limit
        self.low_water = low_water
        self.high_water = high
        self.counters = RingCounters()
        self._chunks: deque[bytes] = deque()
        self._head = b""
        self._offset = 0
        self.depth = 0
        """Bytes in it, as `len` tells."""
        self._above_high = False

    def __len__(self) -> int:
        return self.depth

    @property
    def above_high_water(self) -> bool:
        """Set at the high-water mark, cleared at the low one."""
        return self._above_high

    def write(self, data: bytes) -> int:
        """Append `data`; return how many bytes at its end did not fit and were dropped."""
        counters = self.counters
        dropped = max(0, self.depth + len(data) - self.limit)
        if dropped:
            counters.dropped += dropped
            data = data[: len(data) - dropped]
        self._append(data)
        self.depth += len(data)
        counters.written += len(data)
        if self.depth > counters.peak:
            counters.peak = self.depth
        if not self._above_high and self.depth >= self.high_water > 0:
            self._above_high = True
            counters.high_water_hits += 1
        return dropped

    def _append(self, data: bytes) -> None:
        chunks = self._chunks
        if chunks and len(chunks[-1]) < _MERGE_BELOW:
            chunks[-1] += data
        elif data:
            chunks.append(data)

    def read(self, count: int) -> bytes:
        """Remove and return up to `count` bytes."""
        head, start = self._head, self._offset
        end = start + count
        if end <= len(head):
            self._offset = end
            data = head[start:end]
        else:
            data = self._read_across(count)
        self.depth -= len(data)
        self.counters.read += len(data)
        if self._above_high and self.depth <= self.low_water:
            self._above_high = False
        return data

    def _read_across(self, count: int) -> bytes:
        parts = [self._head[self._offset :]]
        missing = count - len(parts[0])
        self._head, self._offset = b"", 0
        while missing > 0 and self._chunks:
            chunk = self._chunks.popleft()
            parts.append(chunk[:missing])
            if len(chunk) > missing:
                self._head, self._offset = chunk, missing
            missing -= len(chunk)
        return b"".join(parts)

    def unread(self, data: bytes) -> None:
        """Put back in front what was read last; the limit may be passed by so much."""
        self._head, self._offset = data + self._head[self._offset :], 0
        self.depth += len(data)
        self.counters.read -= len(data)

    def clear(self) -> int:
        """Discard everything; return how many bytes that was."""
        cleared = self.depth
        self._chunks.clear()
        self._head, self._offset, self.depth = b"", 0, 0
        self._above_high = False
        self.counters.cleared += cleared
        return cleared
