"""One streaming conversion between sample rates by libsoxr, with little delay and no noise.

Three measured choices (bench/micro_audio.py prints the cost):

- Quality LQ with the two DFT sizes below: 4 ms of delay between 16 and 24 kHz, 8 ms between 8 and
  24 kHz. The package's defaults hold back 37 and 73 ms, and let them go in bursts.
- 32-bit samples: for 16-bit output libsoxr adds dither whose seed is the time of day, so silence
  would not stay silent and no two runs would be alike.
- `_process`, which `resample_chunk` wraps: 3 us less of 12. A test holds it to the public method.
"""

from __future__ import annotations

import os

# libsoxr reads these when a stream is made (soxr.c, soxr_create), so setting them here is early
# enough even if someone imported soxr before.
os.environ.setdefault("SOXR_MIN_DFT_SIZE", "8")
os.environ.setdefault("SOXR_LARGE_DFT_SIZE", "8")

import numpy as np
import soxr
from numpy.typing import NDArray

from bridge.audio.pcm import audioop

_HALF = 0x8000
"""Half of a 16-bit step in 32-bit samples: added before, so that cutting the low half rounds."""


class SoxrStage:
    """L16 mono at one rate in, at another rate out. Odd byte counts are the caller's mistake."""

    def __init__(self, rate_in_hz: int, rate_out_hz: int) -> None:
        self._stream = soxr.ResampleStream(rate_in_hz, rate_out_hz, 1, dtype="int32", quality="LQ")
        self._process = self._stream._process
        self._widen_for(0)

    def process(self, data: bytes) -> bytes:
        """Convert whole samples; return the output that is ready."""
        return self._convert(data, last=False)

    def flush(self) -> bytes:
        """Return the rest of the output and begin a new signal."""
        tail = self._convert(b"", last=True)
        self._stream.clear()
        return tail

    def clear(self) -> None:
        """Drop the rest of the output and begin a new signal."""
        self._stream.clear()

    def _convert(self, data: bytes, *, last: bool) -> bytes:
        if len(data) != self._bytes:
            self._widen_for(len(data))
        self._upper[:] = np.frombuffer(data, np.int16)
        return audioop.lin2lin(self._process(self._wide, last), 4, 2)

    def _widen_for(self, size: int) -> None:
        """Room for `size` bytes of L16, kept as long as the chunks stay so large."""
        self._bytes = size
        self._wide: NDArray[np.int32] = np.full((size // 2, 1), _HALF, np.int32)
        # The machine is little-endian (x86-64, arm64): the second half of a word is the upper one.
        self._upper: NDArray[np.int16] = self._wide.view(np.int16)[:, 1]
