"""OpenAI Realtime: from the bytes of one server message to a typed structure.

Field names: OpenAI API reference, Realtime server events (2026-08). Unknown fields and unknown
events pass unseen, as the reference asks of clients. The names of the retired beta are turned
into today's so that look-alike servers are understood.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pybase64

from bridge.errors import RemoteProtocolError

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""No server message is near this: one audio delta has about 16 kB."""
_PEEK_BYTES = 256
"""How far into a message its type is looked for without parsing."""
_HOT_TYPE = "response.output_audio.delta"
_HOT_MARK = b'"response.output_audio.delta"'


class AudioDelta(msgspec.Struct):
    """`response.output_audio.delta`: audio of the agent in base64."""

    type: str
    delta: str
    item_id: str | None = None
    response_id: str | None = None


class TypedAudio(msgspec.Struct):
    """An audio format as OpenAI writes it."""

    type: str | None = None


class EchoedFormat(msgspec.Struct):
    """One direction of `session.audio`; look-alike servers put a word for the format."""

    format: TypedAudio | str | None = None


class EchoedAudio(msgspec.Struct):
    """`session.audio`."""

    input: EchoedFormat | None = None
    output: EchoedFormat | None = None


class EchoedSession(msgspec.Struct):
    """The part of a session's state that matters to us."""

    id: str | None = None
    model: str | None = None
    audio: EchoedAudio | None = None


class SessionEvent(msgspec.Struct):
    """`session.created`, `session.updated`."""

    session: EchoedSession


class SpeechEvent(msgspec.Struct):
    """`input_audio_buffer.speech_started`, `.speech_stopped`, `.committed`."""

    item_id: str | None = None
    audio_start_ms: int | float | None = None
    audio_end_ms: int | float | None = None


class PartEvent(msgspec.Struct):
    """Deltas and ends of transcripts and audio, each with its own field."""

    item_id: str | None = None
    response_id: str | None = None
    delta: str | None = None
    transcript: str | None = None
    text: str | None = None


class TranscriptionUsage(msgspec.Struct):
    """What transcribing the caller costs: tokens or seconds, by model."""

    seconds: int | float | None = None
    total_tokens: int | None = None


class ErrorBody(msgspec.Struct):
    """The error object wherever it occurs."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None
    event_id: str | None = None


class TranscriptionEvent(msgspec.Struct):
    """`conversation.item.input_audio_transcription.*`."""

    item_id: str | None = None
    delta: str | None = None
    transcript: str | None = None
    usage: TranscriptionUsage | None = None
    error: ErrorBody | None = None


class Item(msgspec.Struct):
    """A conversation item; function calls use the last three fields."""

    type: str | None = None
    id: str | None = None
    status: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class ItemEvent(msgspec.Struct):
    """`conversation.item.added` and the beta's `.created`."""

    item: Item


class StatusDetails(msgspec.Struct):
    """Why a response ended."""

    reason: str | None = None
    error: ErrorBody | None = None


class TokenDetails(msgspec.Struct):
    """Tokens by modality."""

    text_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    cached_tokens_details: TokenDetails | None = None


class ResponseUsage(msgspec.Struct):
    """`response.usage`."""

    input_token_details: TokenDetails | None = None
    output_token_details: TokenDetails | None = None


class Response(msgspec.Struct):
    """`response` of `response.created` and `response.done`."""

    id: str
    status: str | None = None
    status_details: StatusDetails | None = None
    output: list[Item] | None = None
    usage: ResponseUsage | None = None


class ResponseEvent(msgspec.Struct):
    """`response.created`, `response.done`."""

    response: Response


class ErrorEvent(msgspec.Struct):
    """`error`."""

    error: ErrorBody


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
    | TranscriptionEvent
    | ItemEvent
    | ResponseEvent
    | ErrorEvent
)

_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_STRUCTS: dict[str, Any] = {
    "response.output_audio.delta": AudioDelta,
    "response.output_audio.done": PartEvent,
    "response.output_audio_transcript.delta": PartEvent,
    "response.output_audio_transcript.done": PartEvent,
    "response.output_text.delta": PartEvent,
    "response.output_text.done": PartEvent,
    "session.created": SessionEvent,
    "session.updated": SessionEvent,
    "input_audio_buffer.speech_started": SpeechEvent,
    "input_audio_buffer.speech_stopped": SpeechEvent,
    "input_audio_buffer.timeout_triggered": SpeechEvent,
    f"{_TRANSCRIPTION}.delta": TranscriptionEvent,
    f"{_TRANSCRIPTION}.completed": TranscriptionEvent,
    f"{_TRANSCRIPTION}.failed": TranscriptionEvent,
    "conversation.item.added": ItemEvent,
    "response.created": ResponseEvent,
    "response.done": ResponseEvent,
    "error": ErrorEvent,
}
_BETA_NAMES = {
    "response.audio.delta": "response.output_audio.delta",
    "response.audio.done": "response.output_audio.done",
    "response.audio_transcript.delta": "response.output_audio_transcript.delta",
    "response.audio_transcript.done": "response.output_audio_transcript.done",
    "response.text.delta": "response.output_text.delta",
    "response.text.done": "response.output_text.done",
    "conversation.item.created": "conversation.item.added",
}
_DECODERS = {name: msgspec.json.Decoder(struct) for name, struct in _STRUCTS.items()}
for _beta, _name in _BETA_NAMES.items():
    _DECODERS[_beta] = _DECODERS[_name]
_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_end = msgspec.json.Decoder(_BareEnd).decode
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


def decode(data: bytes) -> tuple[str, ServerEvent] | None:
    """Parse one message into today's event name and its structure.

    None for an event that does not concern us. Raises `RemoteProtocolError` for a message that
    is too large, is no JSON object, has no type or lacks the fields its type requires.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise RemoteProtocolError(f"message of {len(data)} bytes", close_code=1009)
    try:
        name = _decode_envelope(data).type
        decoder = _DECODERS.get(name)
        if decoder is None:
            return None
        return _BETA_NAMES.get(name, name), decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(f"malformed message: {error}") from error
    except RecursionError as error:
        raise RemoteProtocolError("malformed message: nested too deeply") from error


def ended_response(data: bytes) -> str | None:
    """Of a malformed message: the response it ends, if it was meant to end one."""
    if len(data) > MAX_MESSAGE_BYTES:
        return None
    try:
        return _decode_end(data).response.id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def decode_base64(text: str) -> bytes:
    """Audio bytes of a delta. Raises `RemoteProtocolError` when the text is no base64."""
    try:
        return pybase64.b64decode(text, validate=True)
    except ValueError as error:
        raise RemoteProtocolError(f"audio is not base64: {error}") from error
