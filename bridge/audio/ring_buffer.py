"""The one queue of audio between a provider and a caller's ear.

A provider sends an answer much faster than it is spoken, so minutes may wait here. One owner
writes, reads and clears it; nothing else buffers. The end of what was read is kept for a while, in
the chunks it came in, for one who must have it again.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from bridge.audio import core
from bridge.audio.pcm import audioop

_MERGE_BELOW = 512
"""Shorter chunks are joined, or a peer that sends two bytes at a time could make the bookkeeping
larger than the audio."""


class AudioQueue(Protocol):
    """First in, first out, byte by byte."""

    @property
    def depth(self) -> int:
        """Bytes in it, as `len` tells."""

    def __len__(self) -> int:
        """Bytes in it."""

    def write(self, data: bytes, /) -> int:
        """Append `data`; return how many bytes at its end did not fit and were dropped."""

    def read(self, count: int, /) -> bytes:
        """Remove and return up to `count` bytes."""

    def peek(self, count: int, /) -> bytes:
        """Up to `count` bytes that `read` would return."""

    def lately(self, count: int, /) -> bytes:
        """The last `count` bytes that were read, or as many as are kept."""

    def take_back(self, count: int, /) -> int:
        """Have the last `count` bytes read once more, the limit may be passed by so much; return
        how many that are. What was read before them is forgotten."""

    def forget(self) -> None:
        """Nothing of what was read is wanted any more."""

    def clear(self) -> int:
        """Discard everything; return how many bytes that was."""


def make_queue(limit: int, *, keep: int = 0, as_ulaw: bool = False) -> AudioQueue:
    """The compiled one where it is there; of at most `limit` bytes.

    `keep`: so many bytes, at least, of what was read last can be taken back; `as_ulaw`: L16 is kept
    for that in half the memory, where it is hardly ever wanted.
    """
    if core.module is not None:
        compiled: AudioQueue = core.module.RingBuffer(limit, keep, as_ulaw)
        return compiled
    return RingBuffer(limit, keep=keep, as_ulaw=as_ulaw)


class RingBuffer:
    """The twin in Python.

    Kept as a queue of the chunks that were written: reading 20 ms out of a 100 ms chunk is one
    slice, and minutes of waiting audio are never moved.
    """

    def __init__(self, limit: int, *, keep: int = 0, as_ulaw: bool = False) -> None:
        """See `make_queue`."""
        self.limit = limit
        self.depth = 0
        self._as_ulaw = as_ulaw
        self._keep = keep // 2 if as_ulaw else keep
        self._chunks: deque[bytes] = deque()
        self._head = b""
        self._offset = 0
        self._past: deque[bytes] = deque()
        """Chunks before the head that were read to their end."""
        self._past_bytes = 0

    def __len__(self) -> int:
        return self.depth

    def write(self, data: bytes, /) -> int:
        """See `AudioQueue`."""
        dropped = 0
        room = self.limit - self.depth
        if len(data) > room:
            taken = data[: max(0, room)]
            data, dropped = taken, len(data) - len(taken)
        self.depth += len(data)
        chunks = self._chunks
        if chunks and len(chunks[-1]) < _MERGE_BELOW:
            chunks[-1] += data
        elif data:
            chunks.append(data)
        return dropped

    def read(self, count: int, /) -> bytes:
        """See `AudioQueue`."""
        start = self._offset
        end = start + count
        if end > len(self._head):
            return self._read_across(count)
        self._offset = end
        self.depth -= count
        return self._head[start:end]

    def _read_across(self, count: int) -> bytes:
        if self._chunks and self._offset == len(self._head):
            self._next_chunk()
            return self.read(count)
        if count > self.depth:
            count = self.depth
        self.depth -= count
        head, start = self._head, self._offset
        parts, missing = [head[start:]], count - len(head) + start
        self._offset = len(head)
        while missing > 0:
            self._next_chunk()
            parts.append(self._head[:missing])
            self._offset = len(parts[-1])
            missing -= self._offset
        return b"".join(parts)

    def _next_chunk(self) -> None:
        past, head = self._past, self._head
        if self._as_ulaw:
            head = audioop.lin2ulaw(head, 2)
        size = self._past_bytes + len(head)
        past.append(head)
        while past and size - len(past[0]) >= self._keep:
            size -= len(past.popleft())
        self._past_bytes = size
        self._head, self._offset = self._chunks.popleft(), 0

    def peek(self, count: int, /) -> bytes:
        """See `AudioQueue`."""
        found = self._head[self._offset : self._offset + count]
        for chunk in self._chunks:
            if len(found) >= count:
                break
            found += chunk[: count - len(found)]
        return found

    def lately(self, count: int, /) -> bytes:
        """See `AudioQueue`."""
        past = b"".join(self._past)
        kept = (audioop.ulaw2lin(past, 2) if self._as_ulaw else past) + self._head[: self._offset]
        return kept[max(0, len(kept) - count) :]

    def take_back(self, count: int, /) -> int:
        """See `AudioQueue`."""
        back = self.lately(count)
        self.forget()
        self._head = back + self._head
        self.depth += len(back)
        return len(back)

    def forget(self) -> None:
        """See `AudioQueue`."""
        self._past.clear()
        self._past_bytes = 0
        self._head, self._offset = self._head[self._offset :], 0

    def clear(self) -> int:
        """See `AudioQueue`."""
        cleared, self.depth = self.depth, 0
        self._chunks.clear()
        self._offset = len(self._head)
        self.forget()
        return cleared
