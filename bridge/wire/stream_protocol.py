"""The texts mod_audio_stream and its forks exchange with us beside the binary audio.

From the switch come the metadata given to `uuid_audio_stream … start`, texts of `send_text` and
`stop`, and messages of our own dialplan (`dtmf`, `hangup`). All of it can be shaped by a caller:
nothing here is an identity, and every size is limited. mod_audio_stream eats backslashes, so JSON
with escaped quotes arrives broken; what is no JSON object is `FreeText`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pybase64

from bridge.audio.formats import AudioFormat, Encoding
from bridge.errors import LocalProtocolError

MAX_TEXT_BYTES = 16384
"""mod_audio_stream's own limit for metadata is 8192 bytes."""
MAX_FIELDS = 32
MAX_VALUE_CHARS = 256
DTMF_DIGITS = frozenset("0123456789*#ABCD")
RAW_RATES_HZ = frozenset((8000, 16000))
"""Rates of `raw` that FreeSWITCH plays right: `.r24` and `.r32` are read as 24-bit and 32-bit
samples (mod_sndfile.c) and `.r48` is not played at all."""

_WAV_HEAD = struct.Struct("<4sI4s4sIHHIIHH4sI")


@dataclass(frozen=True, slots=True)
class Metadata:
    """Fields given when the stream was started. For display only, never an identity."""

    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Dtmf:
    """A key was pressed."""

    digit: str
    """One of `DTMF_DIGITS`."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The switch says that the call ends."""

    reason: str


@dataclass(frozen=True, slots=True)
class FreeText:
    """Any other text, shortened to `MAX_VALUE_CHARS` printable characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Oversized:
    """A text longer than `MAX_TEXT_BYTES`; it was not looked at."""

    size: int


StreamText = Metadata | Dtmf | Hangup | FreeText | Oversized


def parse_text(payload: bytes) -> StreamText:
    """Understand a text from the switch. Never raises."""
    if len(payload) > MAX_TEXT_BYTES:
        return Oversized(len(payload))
    fields = _json_object(payload)
    if fields is None:
        return FreeText(_printable(payload.decode("utf-8", "replace")))
    kind = fields.get("type")
    if kind == "dtmf":
        return _dtmf(_inner(fields).get("digit"), payload)
    if kind == "hangup":
        return Hangup(_value(_inner(fields).get("reason")) or "")
    return Metadata(_scalars(_inner(fields)))


def _json_object(payload: bytes) -> dict[str, Any] | None:
    try:
        parsed = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _inner(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields may stand in the message itself or under `data`, as in `streamAudio`."""
    inner = fields.get("data")
    return inner if isinstance(inner, dict) else fields


def _dtmf(digit: object, payload: bytes) -> StreamText:
    text = (_value(digit) or "").upper()
    if text in DTMF_DIGITS:
        return Dtmf(text)
    return FreeText(_printable(payload.decode("utf-8", "replace")))


def _scalars(fields: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, raw in fields.items():
        value = _value(raw)
        if value is not None and name != "type" and len(found) < MAX_FIELDS:
            found[_printable(name)] = value
    return found


def _value(raw: object) -> str | None:
    """Text and numbers as printable text; None for anything with a structure."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return None
    return _printable(raw if isinstance(raw, str) else repr(raw))


def _printable(text: str) -> str:
    """Without control characters, line ends included; shortened."""
    cut = text[: 2 * MAX_VALUE_CHARS]
    return "".join(char for char in cut if char.isprintable())[:MAX_VALUE_CHARS]


def stream_audio(audio_format: AudioFormat, data: bytes, generation: int, seq: int) -> bytes:
    """A `streamAudio` message. FreeSWITCH plays what L16 gives at any rate.

    `raw` for L16 at 8 and 16 kHz, `wav` for its other rates. `pcmu` and `pcma` are played by
    mod_audio_stream 1.0.3 alone, and only on a channel of that codec. `generation` and `seq` come
    back in the `mod_audio_stream::play` event, as the module keeps keys it does not know.
    """
    kind = _audio_data_type(audio_format)
    if kind == "wav":
        data = wav(audio_format, data)
    return (
        b'{"type":"streamAudio","data":{"audioDataType":"%b","sampleRate":%d,'
        b'"generation":%d,"seq":%d,"audioData":"%b"}}'
    ) % (kind.encode(), audio_format.rate_hz, generation, seq, pybase64.b64encode(data))


def _audio_data_type(audio_format: AudioFormat) -> str:
    if audio_format.encoding is Encoding.L16:
        return "raw" if audio_format.rate_hz in RAW_RATES_HZ else "wav"
    if audio_format.rate_hz != 8000:
        raise LocalProtocolError(f"{audio_format} cannot be streamed")
    return "pcmu" if audio_format.encoding is Encoding.PCMU else "pcma"


def wav(audio_format: AudioFormat, data: bytes) -> bytes:
    """`data` as a RIFF WAVE file of 16-bit PCM, mono.

    Raises `LocalProtocolError` when it is not L16.
    """
    if audio_format.encoding is not Encoding.L16:
        raise LocalProtocolError(f"{audio_format} is not written as WAV")
    rate_hz, size = audio_format.rate_hz, len(data)
    head = _WAV_HEAD.pack(
        *(b"RIFF", 36 + size, b"WAVE"),
        *(b"fmt ", 16, 1, 1, rate_hz, rate_hz * 2, 2, 16),
        *(b"data", size),
    )
    return head + data


def raw_audio_header(rate_hz: int) -> bytes:
    """Tells mod_audio_stream 1.0.3 the rate of the binary L16 that follows."""
    return b'{"type":"rawAudio","data":{"sampleRate":%d}}' % rate_hz


def clear_audio() -> bytes:
    """Drop what is queued: cloudfieldcz' fork."""
    return b'{"type":"clearAudio"}'


def kill_audio() -> bytes:
    """Drop what is queued: jambonz' mod_audio_fork."""
    return b'{"type":"killAudio"}'


def stop_audio() -> bytes:
    """Drop what is queued: julianotarga's fork."""
    return b'{"type":"stopAudio"}'


def clear() -> bytes:
    """Drop what is queued: mod_earshot."""
    return b'{"type":"clear"}'
