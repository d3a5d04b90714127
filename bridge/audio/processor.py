"""Conversion from one audio format to another by the cheapest chain of steps."""

from __future__ import annotations

from bridge.audio.formats import AudioFormat, Encoding
from bridge.audio.g711 import Transcode, transcoder
from bridge.audio.resampler import Stage, make_resampler


class Converter:
    """One direction of one call. If no conversion is needed, the input is returned as it is."""

    def __init__(self, source: AudioFormat, target: AudioFormat) -> None:
        self.source = source
        self.target = target
        self._decode: Transcode | None = None
        self._encode: Transcode | None = None
        self.resampler: Stage | None = None
        """What changes the rate, if anything does."""
        if source.rate_hz == target.rate_hz:
            self._encode = transcoder(source.encoding, target.encoding)
        else:
            self._decode = transcoder(source.encoding, Encoding.L16)
            self.resampler = make_resampler(source.rate_hz, target.rate_hz)
            self._encode = transcoder(Encoding.L16, target.encoding)
        self._carries = source.bytes_per_sample > 1
        self._carry = b""

    @property
    def resamples(self) -> bool:
        """Whether the rate changes."""
        return self.resampler is not None

    def convert(self, data: bytes) -> bytes:
        """Convert bytes, cut anywhere; return the output that is ready, in whole samples."""
        if self._carries and (self._carry or len(data) & 1):
            data = self._whole_samples(data)
        if self._decode is not None:
            data = self._decode(data)
        if self.resampler is not None:
            data = self.resampler.process(data)
        return data if self._encode is None else self._encode(data)

    def flush(self) -> bytes:
        """Return what the resampler still holds and begin a new signal; drop half a sample."""
        self._carry = b""
        if self.resampler is None:
            return b""
        data = self.resampler.flush()
        return data if self._encode is None else self._encode(data)

    def reset(self) -> None:
        """Drop the rest of the output and begin a new signal."""
        self._carry = b""
        if self.resampler is not None:
            self.resampler.clear()

    def _whole_samples(self, data: bytes) -> bytes:
        data = self._carry + data
        whole = len(data) & ~1
        self._carry = data[whole:]
        return data[:whole]
