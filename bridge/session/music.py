"""Music for a caller on hold: one recording, over and over."""

from __future__ import annotations

from bridge.audio.formats import AudioFormat
from bridge.audio.processor import Converter


class Music:
    """A loop of mono audio, converted piece by piece as it is needed."""

    def __init__(self, data: bytes, source: AudioFormat) -> None:
        size = source.bytes_per_sample
        self._data = data[: len(data) // size * size]
        self._source = source
        self._position = 0
        self._converter: Converter | None = None

    def next(self, target: AudioFormat, ms: int) -> bytes:
        """About the next `ms` milliseconds, in `target`; nothing from an empty recording."""
        if not self._data:
            return b""
        if self._converter is None or self._converter.target != target:
            self._converter = Converter(self._source, target)
        return self._converter.convert(self._take(self._source.bytes_for_ms(ms)))

    def _take(self, count: int) -> bytes:
        data, position = self._data, self._position
        self._position = (position + count) % len(data)
        piece = data[position : position + count]
        while len(piece) < count:
            piece += data[: count - len(piece)]
        return piece
