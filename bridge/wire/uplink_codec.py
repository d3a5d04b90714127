"""The caller's way to the provider where it is plain: from a read of his link to audio, which is
listened to, and to the bytes of one message. Where a voice begins or ends, the session is asked.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import pybase64

from bridge.audio import core
from bridge.audio.formats import Encoding
from bridge.audio.pcm import audioop
from bridge.audio.processor import Converter
from bridge.audio.resampler import Resampler
from bridge.wire.frames import BINARY, TEXT, client_frame
from bridge.wire.masking import apply_mask

_FIN_BINARY = 0x80 | BINARY
_LENGTH_16 = 126

_ALL_SAMPLES = b"".join((4 * n & 0xFFFF).to_bytes(2, "little") for n in range(1 << 14))
"""One of each four: G.711 keeps nothing of a sample's lowest two bits (ITU-T G.711)."""
_CODES = {
    Encoding.L16: None,
    Encoding.PCMU: audioop.lin2ulaw(_ALL_SAMPLES, 2),
    Encoding.PCMA: audioop.lin2alaw(_ALL_SAMPLES, 2),
}


class AudioShape(NamedTuple):
    """How a piece of the caller's audio looks as a WebSocket message of a provider."""

    channel: str
    head: bytes
    tail: bytes
    base64: bool


class Activity(Protocol):
    """Tells when the caller's voice begins and ends."""

    def hear(self, data: bytes, rms: float | None = None, echo_rms: float = 0.0, /) -> bool:
        """Take L16; whether a voice began or ended with it."""


class Levels(Protocol):
    """Knows how loud our echo is."""

    def heard(self, rms: float, now: float, /) -> bool:
        """The level of a piece; whether it is nothing but our echo."""

    def expected(self) -> float:
        """How loud the echo is in the piece heard last."""


class Kept(Protocol):
    """Remembers what was sent."""

    def add(self, data: bytes, /) -> None:
        """L16 was sent."""


class Hearing(NamedTuple):
    """Who hears the caller before the provider does."""

    activity: Activity
    levels: Levels
    kept: Kept


class Taken(NamedTuple):
    """What came of a read."""

    frames: int
    size: int
    """Bytes of audio in them."""
    message: bytes
    """The frame to be sent, with `sent` bytes of audio in it; of none there is no frame."""
    sent: int
    changed: bytes | None
    """A voice began or ended with this audio, L16: nothing was made of it, or kept."""
    echo: bool
    """It is nothing but our echo: the provider hears silence."""


class Codec(Protocol):
    """Holds nothing of its own: converter and hearing are the session's."""

    def take(self, data: bytes, now: float, silent: bool, mask_key: bytes, /) -> Taken | None:
        """Take one read; `silent`: the provider hears silence.

        None, and nothing done, where it is anything but whole, final, masked BINARY frames with
        whole samples.
        """


class UplinkCodec:
    """The twin in Python."""

    def __init__(self, converter: Converter, shape: AudioShape, hearing: Hearing) -> None:
        self._convert = converter.convert
        self._shape = shape
        self._hearing = hearing
        self._opcode = TEXT if shape.base64 else BINARY

    def take(self, data: bytes, now: float, silent: bool, mask_key: bytes, /) -> Taken | None:
        """See `Codec`."""
        plain = plain_audio(data)
        if plain is None:
            return None
        audio, frames = plain
        activity, levels, kept = self._hearing
        rms = audioop.rms(audio, 2)
        echo = levels.heard(rms, now)
        if activity.hear(audio, rms, levels.expected()):
            return Taken(frames, len(audio), b"", 0, audio, echo)
        kept.add(audio)
        message, sent = self._frame(bytes(len(audio)) if echo or silent else audio, mask_key)
        return Taken(frames, len(audio), message, sent, None, echo)

    def _frame(self, audio: bytes, mask_key: bytes) -> tuple[bytes, int]:
        converted = self._convert(audio)
        if not converted:
            return b"", 0
        shape = self._shape
        body = pybase64.b64encode(converted) if shape.base64 else converted
        payload = b"".join((shape.head, body, shape.tail))
        return client_frame(self._opcode, payload, mask_key), len(converted)


def plain_audio(data: bytes) -> tuple[bytes, int] | None:
    """The audio of nothing but whole, final, masked BINARY frames, and how many they are; None
    where the read is anything else."""
    pieces, position, size = [], 0, len(data)
    while size - position >= 6 and data[position] == _FIN_BINARY:
        length, body = data[position + 1] - 0x80, position + 6
        if length == _LENGTH_16:
            length, body = data[position + 2] << 8 | data[position + 3], position + 8
        elif not 0 <= length < _LENGTH_16:
            return None
        if size - body < length:
            return None
        pieces.append(apply_mask(data[body : body + length], data[body - 4 : body]))
        position = body + length
    audio = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    if position < size or not audio or len(audio) & 1:
        return None
    return audio, len(pieces)


def make_codec(converter: Converter, shape: AudioShape, hearing: Hearing) -> Codec:
    """The compiled one where it can do what `converter`, from L16, does and all of `hearing` is
    compiled, too; or an `UplinkCodec`."""
    made = core.module
    if made is None or not isinstance(hearing.activity, made.VoiceActivity):
        return UplinkCodec(converter, shape, hearing)
    if isinstance(converter.resampler, Resampler):
        return UplinkCodec(converter, shape, hearing)
    opcode = TEXT if shape.base64 else BINARY
    table = _CODES[converter.target.encoding]
    compiled: Codec = made.UplinkCodec(
        converter.resampler, table, shape.head, shape.tail, opcode, shape.base64, *hearing
    )
    return compiled
