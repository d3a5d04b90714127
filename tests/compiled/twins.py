"""The compiled things and their twins in Python, made alike; and bytes to try them with."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from typing import Any

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
from bridge.session.echo_levels import PythonLevels, make_levels
from bridge.session.kept_audio import PythonKept, make_kept
from bridge.session.voice_activity import VoiceActivity, make_activity
from bridge.wire.frames import BINARY, CLOSE, PING, TEXT, client_frame
from bridge.wire.uplink_codec import AudioShape, Codec, Hearing, Taken, UplinkCodec, make_codec

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


class Pair:
    """Compiled, and in Python with a converter of its own, which uses the same filter."""

    def __init__(self, source: AudioFormat, target: AudioFormat, shape: AudioShape) -> None:
        rate_hz = source.rate_hz
        compiled = Hearing(make_activity(rate_hz), make_levels(), make_kept())
        twin = Hearing(VoiceActivity(rate_hz), PythonLevels(), PythonKept())
        self.hearings = (compiled, twin)
        codec: Codec = make_codec(Converter(source, target), shape, compiled)
        assert isinstance(codec, core.module.UplinkCodec)
        self.codecs = (codec, UplinkCodec(Converter(source, target), shape, twin))

    def take(self, data: bytes, now: float, silent: bool, key: bytes) -> Taken | None:
        """What both make of a read."""
        compiled, twin = (codec.take(data, now, silent, key) for codec in self.codecs)
        assert compiled == twin
        assert activity_of(self.hearings[0].activity) == activity_of(self.hearings[1].activity)
        return twin

    def message(self, audio: bytes, key: bytes) -> tuple[bytes, int]:
        """What both make of whole samples that are heard by nobody."""
        for hearing in self.hearings:
            hearing.activity.conclude()
        taken = self.take(client_frame(BINARY, audio, key), 1.0, False, key)
        return (taken.message, taken.sent) if taken is not None else (b"", 0)


def activity_of(activity: Any) -> tuple[Any, ...]:
    """All that can be seen of it."""
    return tuple(
        getattr(activity, name)
        for name in ("active", "loud_ms", "voiced_ms", "quiet_ms", "since_ms")
    )


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
