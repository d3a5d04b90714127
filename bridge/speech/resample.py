"""Samples at another rate, as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr


class Resampled:
    """One stream of 16-bit samples; pieces may be cut in the middle of a sample."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream: soxr.ResampleStream | None = None
        if from_hz != to_hz:
            self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16")
        self._rest = b""

    def feed(self, piece: bytes) -> bytes:
        """Take some; what is ready."""
        data = self._rest + piece
        whole = len(data) - len(data) % 2
        self._rest = data[whole:]
        return self._made(np.frombuffer(data[:whole], dtype="<i2"), last=False)

    def finish(self) -> bytes:
        """The rest of it."""
        return self._made(np.zeros(0, dtype=np.int16), last=True)

    def _made(self, samples: np.ndarray, *, last: bool) -> bytes:
        if self._stream is not None:
            samples = self._stream.resample_chunk(samples, last=last)
        return samples.astype("<i2").tobytes()


def resampled(pieces: Iterable[bytes], from_hz: int, to_hz: int) -> Iterator[bytes]:
    """One sentence's samples at `to_hz`."""
    stream = Resampled(from_hz, to_hz)
    for piece in pieces:
        made = stream.feed(piece)
        if made:
            yield made
    last = stream.finish()
    if last:
        yield last
