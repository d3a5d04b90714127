"""Gemini Live: from the bytes of one server message to a typed structure.

Fields: Live API reference, `BidiGenerateContentServerMessage` (2026-11). The service sends its
JSON in binary frames. Unknown fields pass unseen; usage and errors are read apart, so that an odd
value in them does not cost their message.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
import pybase64

from bridge.errors import RemoteProtocolError

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""No server message is near this: 100 ms of audio are about 6.5 kB."""
MAX_REPAIR_BYTES = 65536
"""Longer messages with broken text are given up: repairing them would hold the hub."""
_PEEK_BYTES = 128
"""How far into a message sound is looked for without parsing."""
RATE = "rate=24000"
_NULL = msgspec.Raw(b"null")
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s", re.ASCII)


class _Camel(msgspec.Struct, rename="camel"):
    """Fields are written in camelCase on the wire."""


class Blob(_Camel):
    """Audio in base64."""

    data: str | None = None
    mime_type: str | None = None


class Part(_Camel):
    """A piece of what the model says, or thinks."""

    inline_data: Blob | None = None
    text: str | None = None
    thought: bool | None = None


class Content(_Camel):
    """`modelTurn`."""

    parts: list[Part] | None = None


class Words(_Camel):
    """A fragment of a transcription."""

    text: str | None = None
    finished: bool | None = None


class _SoundPart(_Camel, forbid_unknown_fields=True):
    inline_data: Blob


class _SoundTurn(_Camel, forbid_unknown_fields=True):
    parts: Annotated[list[_SoundPart], msgspec.Meta(min_length=1)]
    role: str | None = None


class _SoundContent(_Camel, forbid_unknown_fields=True):
    model_turn: _SoundTurn


class _Sound(_Camel, forbid_unknown_fields=True):
    """A `ServerMessage` that is nothing but sound."""

    server_content: _SoundContent


class ServerContent(_Camel):
    """`serverContent`; several of its fields may come at once."""

    model_turn: Content | None = None
    interrupted: bool | None = None
    generation_complete: bool | None = None
    turn_complete: bool | None = None
    turn_complete_reason: str | None = None
    input_transcription: Words | None = None
    output_transcription: Words | None = None


class Call(_Camel):
    """One function the model wants run."""

    id: str | None = None
    name: str | None = None
    args: msgspec.Raw = _NULL


class ToolCall(_Camel):
    """`toolCall`."""

    function_calls: list[Call] | None = None


class Cancellation(_Camel):
    """`toolCallCancellation`."""

    ids: list[str] | None = None


class Resumption(_Camel):
    """`sessionResumptionUpdate`."""

    new_handle: str | None = None
    resumable: bool | None = None


class GoAway(_Camel):
    """`goAway`."""

    time_left: Any = None
    """A duration such as `50s`."""


class SetupComplete(_Camel):
    """`setupComplete`."""

    session_id: str | None = None


class ServerMessage(_Camel):
    """Any message of the service; exactly one field besides `usageMetadata` is there."""

    setup_complete: SetupComplete | None = None
    server_content: ServerContent | None = None
    tool_call: ToolCall | None = None
    tool_call_cancellation: Cancellation | None = None
    session_resumption_update: Resumption | None = None
    go_away: GoAway | None = None
    usage_metadata: msgspec.Raw = _NULL
    error: Any = None
    """Gateways tell errors so; the service itself closes the connection."""


_decode = msgspec.json.Decoder(ServerMessage).decode
_decode_sound = msgspec.json.Decoder(_Sound).decode


def decode(data: bytes) -> ServerMessage:
    """One message. Raises `RemoteProtocolError` for anything that is none."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise RemoteProtocolError(f"message of {len(data)} bytes", close_code=1009)
    try:
        return _decode(data)
    except RecursionError as error:
        raise RemoteProtocolError("message nested too deeply") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _repaired(data, error)


def _repaired(data: bytes, error: Exception) -> ServerMessage:
    """The same with broken text made whole."""
    text = data.decode("utf-8", "replace").encode() if len(data) <= MAX_REPAIR_BYTES else data
    if text != data:
        try:
            return _decode(text)
        except (msgspec.DecodeError, RecursionError):
            pass
    raise RemoteProtocolError(f"no message of the service: {str(error)[:200]}") from error


def decode_audio(blob: Blob) -> bytes:
    """Whole 16-bit samples. Raises `RemoteProtocolError` for anything else.

    Protobuf's JSON allows both alphabets of base64.
    """
    text = blob.data or ""
    try:
        if "-" in text or "_" in text:
            text = text.replace("-", "+").replace("_", "/")
        data = pybase64.b64decode(text, validate=True)
    except ValueError as error:
        raise RemoteProtocolError("audio is not base64") from error
    if len(data) % 2:
        raise RemoteProtocolError(f"half a sample: audio of {len(data)} bytes")
    return data


def is_ours(blob: Blob) -> bool:
    """It has the rate we asked for, as far as it says."""
    kind = blob.mime_type or ""
    return "rate=" not in kind or RATE in kind


def decode_sound(data: bytes) -> list[bytes] | None:
    """The audio of a message that is nothing but sound, in one pass; None: there is more to it."""
    if data.find(b'"inlineData"', 0, _PEEK_BYTES) < 0 or len(data) > MAX_MESSAGE_BYTES:
        return None
    try:
        blobs = [part.inline_data for part in _decode_sound(data).server_content.model_turn.parts]
        sounds = [decode_audio(blob) for blob in blobs if is_ours(blob)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, RemoteProtocolError):
        return None
    return sounds if len(sounds) == len(blobs) and all(sounds) else None


def seconds(duration: object) -> float | None:
    """A protobuf duration such as `50s` or `9.5s`; None for anything else."""
    found = _DURATION.fullmatch(duration) if isinstance(duration, str) else None
    return float(found.group(1)) if found else None
