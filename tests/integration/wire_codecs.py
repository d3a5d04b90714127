"""Codecs of a telephone: what goes over the wire, and 16-bit PCM.

G.722 and Opus are those of FreeSWITCH's own libraries, libspandsp and libopus; where the former is
not among the system's, SPANDSP names its file.
"""

from __future__ import annotations

import audioop
import ctypes
import ctypes.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.audio.formats import L16_16K, L16_48K, PCMA_8K, PCMU_8K, AudioFormat, Encoding
from esl_controller.simulator.switch.sound import decode, encode

_OPUS_VOIP = 2048
_MAX_PAYLOAD = 1500
_MAX_MS = 120


class WireCodec(Protocol):
    """One direction of one call."""

    def encode(self, pcm: bytes) -> bytes:
        """A packet."""

    def decode(self, payload: bytes) -> bytes:
        """16-bit PCM."""


@dataclass(frozen=True, slots=True)
class Plain:
    """G.711, or L16, which is big-endian on the wire (RFC 3551 4.5.11)."""

    encoding: Encoding

    def encode(self, pcm: bytes) -> bytes:
        """A packet."""
        return _swapped(encode(pcm, self.encoding), self.encoding)

    def decode(self, payload: bytes) -> bytes:
        """16-bit PCM."""
        return decode(_swapped(payload, self.encoding), self.encoding)


def _swapped(data: bytes, encoding: Encoding) -> bytes:
    return audioop.byteswap(data, 2) if encoding is Encoding.L16 else data


class G722:
    """64 kbit/s (ITU-T G.722), by libspandsp."""

    def __init__(self) -> None:
        path = os.environ.get("SPANDSP") or ctypes.util.find_library("spandsp")
        self._library = ctypes.CDLL(path or "libspandsp.so")
        self._encoder, self._decoder = self._made("encode"), self._made("decode")

    def _made(self, what: str) -> ctypes.c_void_p:
        make = getattr(self._library, f"g722_{what}_init")
        make.restype = ctypes.c_void_p
        return ctypes.c_void_p(make(None, 64000, 0))

    def encode(self, pcm: bytes) -> bytes:
        """A packet."""
        out = ctypes.create_string_buffer(len(pcm))
        count = self._library.g722_encode(self._encoder, out, pcm, len(pcm) // 2)
        return out.raw[:count]

    def decode(self, payload: bytes) -> bytes:
        """16-bit PCM at 16 kHz."""
        out = ctypes.create_string_buffer(len(payload) * 4)
        count = self._library.g722_decode(self._decoder, out, payload, len(payload))
        return out.raw[: count * 2]


class Opus:
    """One channel at 48 kHz (RFC 7587), by libopus."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(ctypes.util.find_library("opus") or "libopus.so.0")
        self._encoder = self._made("encoder", 48000, 1, _OPUS_VOIP)
        self._decoder = self._made("decoder", 48000, 1)

    def _made(self, what: str, *arguments: int) -> ctypes.c_void_p:
        make: Any = getattr(self._library, f"opus_{what}_create")
        make.restype = ctypes.c_void_p
        return ctypes.c_void_p(make(*arguments, ctypes.byref(ctypes.c_int())))

    def encode(self, pcm: bytes) -> bytes:
        """A packet of 10, 20, 40 or 60 ms."""
        out = ctypes.create_string_buffer(_MAX_PAYLOAD)
        count = self._library.opus_encode(self._encoder, pcm, len(pcm) // 2, out, _MAX_PAYLOAD)
        return out.raw[: max(0, count)]

    def decode(self, payload: bytes) -> bytes:
        """16-bit PCM at 48 kHz."""
        samples = 48 * _MAX_MS
        out = ctypes.create_string_buffer(samples * 2)
        count = self._library.opus_decode(
            self._decoder, payload, len(payload), out, ctypes.c_int(samples), 0
        )
        return out.raw[: max(0, count) * 2]


@dataclass(frozen=True, slots=True)
class Codec:
    """What a telephone can speak."""

    name: str
    format: AudioFormat
    """What is heard of it: L16 where its own encoding is none of ours."""
    clock_hz: int
    """Of its RTP timestamps: G.722 says 8000 and means 16000 (RFC 3551 4.5.2)."""
    make: Callable[[], WireCodec]
    channels: str = ""

    @property
    def rtpmap(self) -> str:
        """As SDP writes it."""
        return f"{self.name}/{self.clock_hz}{self.channels}"

    @property
    def exact(self) -> bool:
        """The same sound gives the same bytes, whatever was said before."""
        return isinstance(self.make(), Plain)


def _plain(name: str, audio_format: AudioFormat) -> Codec:
    return Codec(name, audio_format, audio_format.rate_hz, lambda: Plain(audio_format.encoding))


CODECS: dict[str, Codec] = {
    "PCMU": _plain("PCMU", PCMU_8K),
    "PCMA": _plain("PCMA", PCMA_8K),
    "L16": _plain("L16", L16_16K),
    "G722": Codec("G722", L16_16K, 8000, G722),
    "opus": Codec("opus", L16_48K, 48000, Opus, "/2"),
}
