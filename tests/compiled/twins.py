"""The compiled things and their twins in Python, made alike; and bytes to try them with."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from bridge.audio import core
from bridge.audio.formats import (
    L16_8K,
    L16_16K,
    L16_24K,
    PCMA_8K,
    PCMU_8K,
    AudioFormat,
    Encoding,
)
from bridge.audio.processor import Converter
from bridge.audio.resampler import COMPILED_PAIRS
from bridge.wire.frames import BINARY, CLOSE, PING, TEXT, client_frame
from bridge.wire.uplink_codec import AudioShape, Codec, UplinkCodec, make_codec

JSON = AudioShape("channel", b'{"audio":"', b'"}', base64=True)
RAW = AudioShape("channel", b"", b"", base64=False)
WAYS = (
    (L16_16K, L16_16K),
    (L16_8K, PCMU_8K),
    (L16_8K, PCMA_8K),
    *((AudioFormat(Encoding.L16, a), AudioFormat(Encoding.L16, b)) for a, b in COMPILED_PAIRS),
    (L16_16K, PCMU_8K),
    (L16_24K, PCMA_8K),
)
"""Whatever the core converts from L16."""


def both(source: AudioFormat, target: AudioFormat, shape: AudioShape) -> tuple[Codec, Codec]:
    """Compiled, and in Python with a converter of its own, which uses the same filter."""
    compiled = make_codec(Converter(source, target), shape)
    assert isinstance(compiled, core.module.UplinkCodec)
    return compiled, UplinkCodec(Converter(source, target), shape)


def mostly_plain(rng: random.Random) -> bytes:
    """A read: frames of all kinds, most of them plain, sometimes cut or broken."""
    data = b"".join(_frames(rng))
    kind = rng.random()
    if kind < 0.3:
        data = data[rng.randrange(len(data) + 1) :]
    elif kind < 0.6:
        data = data[: rng.randrange(len(data) + 1)]
    elif kind < 0.8 and data:
        at = rng.randrange(len(data))
        data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    return data


def _frames(rng: random.Random) -> Iterator[bytes]:
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        payload = rng.randbytes(rng.choice((0, 1, 2, 124, 125, 126, 127, 320, 640, 641, 1280)))
        opcode = rng.choice((BINARY, BINARY, BINARY, BINARY, TEXT, PING, CLOSE))
        frame = client_frame(opcode, payload, rng.randbytes(4))
        if rng.random() < 0.1:  # a length written longer than it need be, or no final frame
            frame = struct.pack("!BBQ", rng.choice((2, 0x82)), 0xFF, len(payload)) + frame[-4:]
        yield frame
