"""Audio formats: encoding and sample rate. All audio is mono.

Bytes whose format is not known do not travel: whoever holds audio also holds its `AudioFormat`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

FRAME_MS = 20
"""FreeSWITCH's usual packet time; a channel may have another one (`media_plan.Leg.ptime_ms`)."""


class Encoding(enum.Enum):
    """How samples are encoded."""

    L16 = "L16"
    """Signed 16-bit little-endian linear PCM, two bytes a sample."""
    PCMU = "PCMU"
    """G.711 µ-law, one byte a sample (ITU-T G.711)."""
    PCMA = "PCMA"
    """G.711 A-law, one byte a sample (ITU-T G.711)."""


_SILENCE = {Encoding.L16: b"\x00\x00", Encoding.PCMU: b"\xff", Encoding.PCMA: b"\xd5"}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """Encoding and rate of mono audio."""

    encoding: Encoding
    rate_hz: int

    @property
    def bytes_per_sample(self) -> int:
        """2 for L16, 1 for G.711."""
        return 2 if self.encoding is Encoding.L16 else 1

    @property
    def bytes_per_frame(self) -> int:
        """Bytes in one 20 ms frame: 640 for L16 at 16 kHz, 160 for G.711."""
        return self.bytes_for_ms(FRAME_MS)

    def bytes_for_ms(self, ms: int) -> int:
        """Whole samples in `ms` milliseconds, as bytes."""
        return self.rate_hz * ms // 1000 * self.bytes_per_sample

    def ms_for_bytes(self, count: int) -> int:
        """Milliseconds that `count` bytes last, rounded down."""
        return count * 1000 // (self.rate_hz * self.bytes_per_sample)

    def silence(self, ms: int) -> bytes:
        """`ms` milliseconds of digital silence."""
        pattern = _SILENCE[self.encoding]
        return pattern * (self.bytes_for_ms(ms) // len(pattern))

    def __str__(self) -> str:
        return f"{self.encoding.value}/{self.rate_hz}"


L16_8K = AudioFormat(Encoding.L16, 8000)
L16_16K = AudioFormat(Encoding.L16, 16000)
L16_24K = AudioFormat(Encoding.L16, 24000)
L16_48K = AudioFormat(Encoding.L16, 48000)
PCMU_8K = AudioFormat(Encoding.PCMU, 8000)
PCMA_8K = AudioFormat(Encoding.PCMA, 8000)
