"""OpenAI Realtime: from the bytes of one server message to a typed structure.

Field names: OpenAI API reference, Realtime server events (2026-08). Unknown fields and unknown
events pass unseen, as the reference asks of clients. The names of the retired beta are turned
into today's so that look-alike servers are understood. One odd value does not cost its message:
what strict parsing refuses is read leniently, and usage is read apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
import pybase64

from bridge.errors import RemoteProtocolError
from bridge.providers.openai import lenient
from bridge.providers.openai.structures import (
    AudioDelta,
    CallEvent,
    ErrorEvent,
    ItemEvent,
    PartEvent,
    PieceEvent,
    ResponseEvent,
    ResponseUsage,
    SessionEvent,
    SpeechEvent,
    TranscriptionEvent,
    TranscriptionUsage,
)

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""No server message is near this: one audio delta has about 16 kB."""
_PEEK_BYTES = 256
"""How far into a message its type is looked for without parsing."""
_T = TypeVar("_T")
_HOT_TYPE = "response.output_audio.delta"
_HOT_MARK = b'"response.output_audio.delta"'


class _Envelope(msgspec.Struct):
    type: str


class _BareResponse(msgspec.Struct):
    id: str


class _BareEnd(msgspec.Struct, tag_field="type", tag="response.done"):
    response: _BareResponse


ServerEvent = (
    AudioDelta
    | SessionEvent
    | SpeechEvent
    | PartEvent
    | PieceEvent
    | TranscriptionEvent
    | ItemEvent
    | CallEvent
    | ResponseEvent
    | ErrorEvent
)

_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_STRUCTS: dict[str, Any] = {
    "response.output_audio.delta": AudioDelta,
    "response.output_audio_transcript.done": PartEvent,
    "response.output_audio_transcript.delta": PieceEvent,
    "response.output_item.added": ItemEvent,
    "response.output_item.done": ItemEvent,
    "response.function_call_arguments.done": CallEvent,
    "session.created": SessionEvent,
    "session.updated": SessionEvent,
    "input_audio_buffer.speech_started": SpeechEvent,
    "input_audio_buffer.speech_stopped": SpeechEvent,
    "input_audio_buffer.committed": SpeechEvent,
    "input_audio_buffer.timeout_triggered": SpeechEvent,
    f"{_TRANSCRIPTION}.completed": TranscriptionEvent,
    f"{_TRANSCRIPTION}.failed": TranscriptionEvent,
    "conversation.item.added": ItemEvent,
    "response.created": ResponseEvent,
    "response.done": ResponseEvent,
    "error": ErrorEvent,
}
_BETA_NAMES = {
    "response.audio.delta": "response.output_audio.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "conversation.item.created": "conversation.item.added",
}
_DECODERS = {name: msgspec.json.Decoder(struct) for name, struct in _STRUCTS.items()}
for _beta, _name in _BETA_NAMES.items():
    _DECODERS[_beta] = _DECODERS[_name]
_DROPPED = frozenset(
    {
        b"response.output_audio_transcript.delta",
        b"response.audio_transcript.delta",
        b"response.output_audio.done",
        b"response.audio.done",
        b"response.output_text.delta",
        b"response.text.delta",
        b"response.function_call_arguments.delta",
        b"conversation.item.input_audio_transcription.delta",
        b"conversation.item.done",
        b"response.content_part.added",
        b"response.content_part.done",
        b"rate_limits.updated",
    }
)
"""Frequent events that only show that the server lives; they are not even parsed."""
_PIECE = b"response.output_audio_transcript.delta"
_TYPE = re.compile(rb'"type"\s{0,4}:\s{0,4}"([a-z._]{1,80})"')
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_end = msgspec.json.Decoder(_BareEnd).decode
_decode_response_usage = msgspec.json.Decoder(ResponseUsage | None).decode
_decode_transcription_usage = msgspec.json.Decoder(TranscriptionUsage | None).decode
_decode_object = msgspec.json.Decoder(dict[str, Any] | None).decode
_decode_hot = msgspec.json.Decoder(AudioDelta).decode


def decode_audio_delta(data: bytes) -> AudioDelta | None:
    """Parse the most frequent message in one pass; None when it is, or may be, another one."""
    if data.find(_HOT_MARK, 0, _PEEK_BYTES) < 0:
        return None
    try:
        event = _decode_hot(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return event if event.type == _HOT_TYPE else None


def is_dropped(data: bytes, *, words: bool = False) -> bool:
    """Whether the message is one of those nobody needs, as far as its beginning tells.

    With `words` pieces of the agent's transcript are needed.

    What is searched cannot stand inside a JSON string, where quotes are escaped, and no object
    within another event has one of these types.
    """
    found = _TYPE.search(data, 0, _PEEK_BYTES)
    if found is None or found.group(1) not in _DROPPED:
        return False
    return not (words and found.group(1) == _PIECE)


def decode(data: bytes) -> tuple[str, ServerEvent] | None:
    """Parse one message into today's event name and its structure.

    None for an event that does not concern us. Raises `RemoteProtocolError` for a message that
    is too large, is no JSON object, has no type or lacks the fields its type requires. Text cut
    between the halves of a character gets U+FFFD; a value of the wrong type counts as left out.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise RemoteProtocolError(f"message of {len(data)} bytes", close_code=1009)
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _decode_leniently(data, error)
    except RecursionError as error:
        raise RemoteProtocolError("malformed message: nested too deeply") from error


def _decode(data: bytes) -> tuple[str, ServerEvent] | None:
    name = _decode_envelope(data).type
    decoder = _DECODERS.get(name)
    if decoder is None:
        return None
    return _BETA_NAMES.get(name, name), decoder.decode(data)


def _decode_leniently(data: bytes, refusal: Exception) -> tuple[str, ServerEvent] | None:
    message = lenient.parsed(data)
    name = message.get("type") if message is not None else None
    if message is None or not isinstance(name, str):
        raise RemoteProtocolError(f"malformed message: {refusal}") from refusal
    name = _BETA_NAMES.get(name, name)
    struct = _STRUCTS.get(name)
    if struct is None:
        return None
    try:
        return name, lenient.fitted(message, struct)
    except TypeError:
        raise RemoteProtocolError(f"malformed message: {refusal}") from refusal


def ended_response(data: bytes) -> str | None:
    """Of a malformed message: the response it ends, if it was meant to end one."""
    if len(data) > MAX_MESSAGE_BYTES:
        return None
    try:
        return _decode_end(data).response.id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def response_usage_of(raw: msgspec.Raw) -> ResponseUsage | None:
    """`response.usage`, if it can be read: a bill in odd numbers does not cost the answer."""
    return _lenient(_decode_response_usage, raw)


def transcription_usage_of(raw: msgspec.Raw) -> TranscriptionUsage | None:
    """The same of a transcription."""
    return _lenient(_decode_transcription_usage, raw)


def arguments_text(arguments: str | dict[str, Any] | None) -> str:
    """Arguments of a function call as JSON text; some servers send the object itself."""
    if isinstance(arguments, dict):
        return msgspec.json.encode(arguments).decode()
    return arguments or ""


def metadata_of(raw: msgspec.Raw) -> dict[str, Any] | None:
    """The metadata of a response; None where the server does not know any."""
    if not bytes(raw):
        return None
    found = _lenient(_decode_object, raw)
    return found if found is not None else {}


def _lenient(decode: Callable[[msgspec.Raw], _T], raw: msgspec.Raw) -> _T | None:
    try:
        return decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def decode_base64(text: str) -> bytes:
    """Audio bytes of a delta. Raises `RemoteProtocolError` when the text is no base64."""
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError as error:
        raise RemoteProtocolError(f"audio is not base64: {error}") from error
