"""G.711 companding: PCMU and PCMA to and from linear 16-bit, and straight into each other.

Samples are coded one by one (ITU-T G.711), so a run of audio may be cut anywhere between samples.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.audio.formats import Encoding
from bridge.audio.pcm import audioop

_ALL_CODES = bytes(range(256))
_PCMU_TO_PCMA = audioop.lin2alaw(audioop.ulaw2lin(_ALL_CODES, 2), 2)
_PCMA_TO_PCMU = audioop.lin2ulaw(audioop.alaw2lin(_ALL_CODES, 2), 2)

Transcode = Callable[[bytes], bytes]


def decode_pcmu(data: bytes) -> bytes:
    """PCMU to L16: one byte a sample becomes two."""
    return audioop.ulaw2lin(data, 2)


def decode_pcma(data: bytes) -> bytes:
    """PCMA to L16: one byte a sample becomes two."""
    return audioop.alaw2lin(data, 2)


def encode_pcmu(data: bytes) -> bytes:
    """L16 (whole samples) to PCMU."""
    return audioop.lin2ulaw(data, 2)


def encode_pcma(data: bytes) -> bytes:
    """L16 (whole samples) to PCMA."""
    return audioop.lin2alaw(data, 2)


def pcmu_to_pcma(data: bytes) -> bytes:
    """PCMU to PCMA by table: each code becomes the one nearest to the level it stands for."""
    return data.translate(_PCMU_TO_PCMA)


def pcma_to_pcmu(data: bytes) -> bytes:
    """PCMA to PCMU by table."""
    return data.translate(_PCMA_TO_PCMU)


_TRANSCODERS: dict[tuple[Encoding, Encoding], Transcode] = {
    (Encoding.PCMU, Encoding.L16): decode_pcmu,
    (Encoding.PCMA, Encoding.L16): decode_pcma,
    (Encoding.L16, Encoding.PCMU): encode_pcmu,
    (Encoding.L16, Encoding.PCMA): encode_pcma,
    (Encoding.PCMU, Encoding.PCMA): pcmu_to_pcma,
    (Encoding.PCMA, Encoding.PCMU): pcma_to_pcmu,
}


def transcoder(source: Encoding, target: Encoding) -> Transcode | None:
    """The function from `source` to `target`; None when they are the same."""
    return _TRANSCODERS.get((source, target))
