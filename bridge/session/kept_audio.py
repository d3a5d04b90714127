"""The end of what a provider was sent, for the one that may have to take over. µ-law: half the
memory, and nothing of a telephone's band is lost by it."""

from __future__ import annotations

from typing import Protocol

from bridge.audio import core
from bridge.audio.pcm import audioop


class KeptAudio(Protocol):
    """One call's. Holds nothing until it is told how much it may."""

    def add(self, data: bytes, /) -> None:
        """L16, whole samples, was sent."""

    def take(self) -> bytes:
        """All there is, µ-law, the oldest first; forget it."""

    def forget(self) -> None:
        """Nobody needs it any more."""

    def hold(self, samples: int, /) -> None:
        """Keep at most so many samples from now on, the newest."""

    def __len__(self) -> int:
        """How many samples there are."""


def make_kept() -> KeptAudio:
    """The compiled one where it is there."""
    if core.module is not None:
        compiled: KeptAudio = core.module.KeptAudio()
        return compiled
    return PythonKept()


class PythonKept:
    """The twin in Python."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._limit = 0

    def add(self, data: bytes, /) -> None:
        """See `KeptAudio`."""
        self._kept += audioop.lin2ulaw(data, 2)
        self._trim()

    def take(self) -> bytes:
        """See `KeptAudio`."""
        kept, self._kept = bytes(self._kept), bytearray()
        return kept

    def forget(self) -> None:
        """See `KeptAudio`."""
        self._kept = bytearray()

    def hold(self, samples: int, /) -> None:
        """See `KeptAudio`."""
        self._limit = samples
        self._trim()

    def __len__(self) -> int:
        return len(self._kept)

    def _trim(self) -> None:
        excess = len(self._kept) - self._limit
        if excess > 0:
            del self._kept[:excess]
