"""One sentence's samples at another rate, as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr


def resampled(pieces: Iterable[bytes], from_hz: int, to_hz: int) -> Iterator[bytes]:
    """16-bit samples at `to_hz`; pieces may be cut in the middle of a sample."""
    stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16") if from_hz != to_hz else None
    rest = b""
    for piece in pieces:
        data = rest + piece
        whole = len(data) - len(data) % 2
        rest = data[whole:]
        made = data[:whole]
        if stream is not None:
            made = stream.resample_chunk(np.frombuffer(made, dtype="<i2")).astype("<i2").tobytes()
        if made:
            yield made
    if stream is not None:
        last = stream.resample_chunk(np.zeros(0, dtype=np.int16), last=True)
        if len(last):
            yield last.astype("<i2").tobytes()
