"""OpenAI Realtime: the parts of server messages that matter to us, as structures.

Field names: OpenAI API reference, Realtime server events (2026-08). Unknown fields pass unseen.
"""

from __future__ import annotations

from typing import Any

import msgspec

_NULL = msgspec.Raw(b"null")
_ABSENT = msgspec.Raw(b"")


class AudioDelta(msgspec.Struct):
    """`response.output_audio.delta`: audio of the agent in base64."""

    type: str
    delta: str
    item_id: str | None = None
    response_id: str | None = None
    content_index: int | None = None


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
    expires_at: int | float | None = None
    """Unix seconds."""


class SessionEvent(msgspec.Struct):
    """`session.created`, `session.updated`."""

    session: EchoedSession = msgspec.field(default_factory=EchoedSession)
    created: Any = None
    """vLLM's server of transcriptions has this, and no session."""


class SpeechEvent(msgspec.Struct):
    """`input_audio_buffer.speech_started`, `.speech_stopped`, `.committed` and alike."""

    item_id: str | None = None
    previous_item_id: str | None = None


class PartEvent(msgspec.Struct):
    """`response.output_audio_transcript.done`."""

    item_id: str | None = None
    transcript: str | None = None


class PieceEvent(msgspec.Struct):
    """`response.output_audio_transcript.delta`."""

    item_id: str | None = None
    delta: str | None = None


class TranscriptionUsage(msgspec.Struct):
    """What transcribing the caller costs: tokens or seconds, by model."""

    seconds: int | float | None = None
    total_tokens: int | float | None = None


class ErrorBody(msgspec.Struct):
    """The error object wherever it occurs; servers put numbers and lists where texts belong."""

    type: Any = None
    code: Any = None
    message: Any = None
    param: Any = None
    event_id: Any = None
    retry_after: Any = None
    """Seconds."""


class TranscriptionEvent(msgspec.Struct):
    """`conversation.item.input_audio_transcription.*`."""

    item_id: str | None = None
    transcript: str | None = None
    usage: msgspec.Raw = _NULL
    """See `transcription_usage_of`."""
    error: ErrorBody | str | None = None


class Item(msgspec.Struct):
    """A conversation item; function calls use the last three fields."""

    type: str | None = None
    id: str | None = None
    status: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    """See `arguments_text`."""


class ItemEvent(msgspec.Struct):
    """`conversation.item.added`, the beta's `.created`, and `response.output_item.*`."""

    item: Item = msgspec.field(default_factory=Item)
    previous_item_id: str | None = None
    response_id: str | None = None


class CallEvent(msgspec.Struct):
    """`response.function_call_arguments.done`."""

    response_id: str | None = None
    item_id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | dict[str, Any] | None = None
    """See `arguments_text`."""


class StatusDetails(msgspec.Struct):
    """Why a response ended."""

    reason: str | None = None
    error: ErrorBody | str | None = None


class TokenDetails(msgspec.Struct):
    """Tokens by modality."""

    text_tokens: int | float | None = None
    audio_tokens: int | float | None = None
    image_tokens: int | float | None = None
    cached_tokens_details: TokenDetails | None = None


class ResponseUsage(msgspec.Struct):
    """`response.usage`."""

    input_token_details: TokenDetails | None = None
    output_token_details: TokenDetails | None = None


class Response(msgspec.Struct):
    """`response` of `response.created` and `response.done`."""

    id: str = ""
    status: str | None = None
    status_details: StatusDetails | None = None
    output: list[Item] | None = None
    usage: msgspec.Raw = _NULL
    """See `response_usage_of`."""
    metadata: msgspec.Raw = _ABSENT
    """What our request carried; null for the server's own; absent where it is not known."""


class ResponseEvent(msgspec.Struct):
    """`response.created`, `response.done`."""

    response: Response = msgspec.field(default_factory=Response)


class ErrorEvent(msgspec.Struct):
    """`error`; some servers send a text, or the fields at the top."""

    error: ErrorBody | str | None = None
    type: Any = None
    code: Any = None
    message: Any = None
    param: Any = None
    event_id: Any = None

    def body(self) -> ErrorBody:
        """The error object, however it came."""
        if isinstance(self.error, ErrorBody):
            return self.error
        message = self.error or self.message
        return ErrorBody(None, self.code, message, self.param)
