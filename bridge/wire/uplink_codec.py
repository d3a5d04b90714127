"""The caller's way to the provider where it is plain: from a read of his link to audio, and from
audio to the bytes of one message. What happens between the two is for the session to say.
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


class Codec(Protocol):
    """Both steps. Holds nothing of its own: the converter is the session's."""

    def feed(self, data: bytes, /) -> tuple[bytes, int, int] | None:
        """Take one read: the audio in it, L16, its level (`audioop.rms`) and the number of frames.

        None where it is anything but whole, final, masked BINARY frames with whole samples.
        """

    def frame(self, audio: bytes, mask_key: bytes, /) -> tuple[bytes, int]:
        """Convert L16; return the message's frame, and how many bytes of audio are in it: of none
        there is no frame."""


class UplinkCodec:
    """The twin in Python."""

    def __init__(self, converter: Converter, shape: AudioShape) -> None:
        self._convert = converter.convert
        self._shape = shape
        self._opcode = TEXT if shape.base64 else BINARY

    def feed(self, data: bytes, /) -> tuple[bytes, int, int] | None:
        """See `Codec`."""
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
        return audio, audioop.rms(audio, 2), len(pieces)

    def frame(self, audio: bytes, mask_key: bytes, /) -> tuple[bytes, int]:
        """See `Codec`."""
        converted = self._convert(audio)
        if not converted:
            return b"", 0
        shape = self._shape
        body = pybase64.b64encode(converted) if shape.base64 else converted
        payload = b"".join((shape.head, body, shape.tail))
        return client_frame(self._opcode, payload, mask_key), len(converted)


def make_codec(converter: Converter, shape: AudioShape) -> Codec:
    """The compiled one where it can do what `converter`, from L16, does, or an `UplinkCodec`."""
    if core.module is None or isinstance(converter.resampler, Resampler):
        return UplinkCodec(converter, shape)
    opcode = TEXT if shape.base64 else BINARY
    table = _CODES[converter.target.encoding]
    compiled: Codec = core.module.UplinkCodec(
        converter.resampler, table, shape.head, shape.tail, opcode, shape.base64
    )
    return compiled
