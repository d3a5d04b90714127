"""The caller's way to the provider: convert once, hand over at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.audio.formats import AudioFormat
from bridge.audio.processor import Converter

MAX_HELD_MS = 5000
"""Caller audio kept while no provider is there; the oldest goes first."""


@dataclass(slots=True)
class UplinkCounters:
    """Sampled once a second; never touched by anyone else."""

    chunks: int = 0
    bytes: int = 0
    held_dropped_bytes: int = 0


class Uplink:
    """Converts caller audio and sends it, or keeps the last seconds while nobody can take it.

    `target` is the provider's input format; `send` takes audio in it.
    """

    def __init__(self, target: AudioFormat, send: Callable[[bytes], None]) -> None:
        self.counters = UplinkCounters()
        self._target = target
        self._send = send
        self._converter: Converter | None = None
        self._open = False
        self._held = bytearray()

    def attach(self, converter: Converter) -> None:
        """The caller's stream is there, in the converter's source format."""
        self._converter = converter

    def detach(self) -> None:
        """The caller's stream is gone."""
        self._converter = None

    def open(self) -> None:
        """The provider listens: send what was held, then everything at once."""
        self._open = True
        if self._held:
            held, self._held = bytes(self._held), bytearray()
            self._send(held)

    def shut(self) -> None:
        """Nobody listens: hold the latest audio."""
        self._open = False

    def receive(self, data: bytes) -> None:
        """Caller audio, any number of bytes. The hot path: 50 times a second and call."""
        converter = self._converter
        if converter is None:
            return
        counters = self.counters
        counters.chunks += 1
        counters.bytes += len(data)
        if self._open:
            self._send(converter.convert(data))
        else:
            self._hold(converter.convert(data))

    def _hold(self, data: bytes) -> None:
        self._held += data
        excess = len(self._held) - self._target.bytes_for_ms(MAX_HELD_MS)
        if excess > 0:
            excess += excess % 2
            del self._held[:excess]
            self.counters.held_dropped_bytes += excess
