"""ElevenLabs Agents: from the bytes of one server message to a typed structure.

Names and fields: `@elevenlabs/types` 0.23.0 (made from the vendor's AsyncAPI) and the client of
the `elevenlabs` package 2.78.0. Unknown messages and fields pass unseen: agents send more kinds
from version to version, as their `client_events` say.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pybase64

from bridge.audio.formats import PCMU_8K, AudioFormat, Encoding
from bridge.errors import RemoteProtocolError

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""No server message is near this."""
_PEEK_BYTES = 64
"""How far into a message its kind is looked for without parsing."""
DEFAULT_INPUT = "pcm_16000"
"""Where the service does not name the format it listens in (`@elevenlabs/client` 1.25.0)."""

FORMATS: dict[str, AudioFormat] = {
    "ulaw_8000": PCMU_8K,
    **{
        f"pcm_{rate_hz}": AudioFormat(Encoding.L16, rate_hz)
        for rate_hz in (8000, 16000, 22050, 24000, 44100, 48000)
    },
}
"""All it speaks, in both directions; there is no A-law."""


class Metadata(msgspec.Struct):
    """`conversation_initiation_metadata_event`: the first message, and the only one of its kind."""

    conversation_id: str
    agent_output_audio_format: str
    user_input_audio_format: str | None = None


class Ping(msgspec.Struct):
    """`ping_event`."""

    event_id: int


class AudioChunk(msgspec.Struct):
    """`audio_event`."""

    audio_base_64: str
    event_id: int


class CallerWords(msgspec.Struct):
    """`user_transcription_event`."""

    user_transcript: str
    event_id: int | None = None


class AgentWords(msgspec.Struct):
    """`agent_response_event`."""

    agent_response: str
    event_id: int | None = None


class Correction(msgspec.Struct):
    """`agent_response_correction_event`."""

    corrected_agent_response: str
    event_id: int | None = None


class Interruption(msgspec.Struct):
    """`interruption_event`."""

    event_id: int


class ToolCall(msgspec.Struct):
    """`client_tool_call`."""

    tool_name: str
    tool_call_id: str
    parameters: msgspec.Raw = msgspec.Raw(b"{}")


class ToolResponse(msgspec.Struct):
    """`agent_tool_response`: what became of a tool of the agent's own."""

    tool_name: str = ""
    is_error: bool = False


class ErrorBody(msgspec.Struct):
    """`error_event`; texts may be anything."""

    code: Any = None
    error_type: Any = None
    message: Any = None
    reason: Any = None


Message = (
    Metadata
    | Ping
    | AudioChunk
    | CallerWords
    | AgentWords
    | Correction
    | Interruption
    | ToolCall
    | ToolResponse
    | ErrorBody
)

KINDS: dict[str, tuple[str, Any]] = {
    "conversation_initiation_metadata": ("conversation_initiation_metadata_event", Metadata),
    "ping": ("ping_event", Ping),
    "audio": ("audio_event", AudioChunk),
    "user_transcript": ("user_transcription_event", CallerWords),
    "agent_response": ("agent_response_event", AgentWords),
    "agent_response_correction": ("agent_response_correction_event", Correction),
    "interruption": ("interruption_event", Interruption),
    "client_tool_call": ("client_tool_call", ToolCall),
    "agent_tool_response": ("agent_tool_response", ToolResponse),
    "error": ("error_event", ErrorBody),
}
"""By `type`: the key of the body, and what it holds."""


class _Envelope(msgspec.Struct):
    type: str


class _Sound(msgspec.Struct):
    type: str
    audio_event: AudioChunk


class _Signed(msgspec.Struct):
    signed_url: str


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_sound = msgspec.json.Decoder(_Sound).decode
_decode_signed = msgspec.json.Decoder(_Signed).decode
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(
        msgspec.defstruct(f"_{kind}", [("body", body)], rename={"body": key})
    )
    for kind, (key, body) in KINDS.items()
}
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode(data: bytes) -> tuple[str, Message] | None:
    """One message: its type and its body; None for a kind that does not concern us.

    Raises `RemoteProtocolError` for what is too large, no JSON object, without a type, or without
    the fields its type requires.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise RemoteProtocolError(f"message of {len(data)} bytes", close_code=1009)
    try:
        kind = _decode_envelope(data).type
        decoder = _DECODERS.get(kind)
        return None if decoder is None else (kind, decoder.decode(data).body)
    except _MALFORMED as error:
        raise RemoteProtocolError(f"malformed message: {error}") from error


def decode_audio(data: bytes) -> AudioChunk | None:
    """The most frequent message in one pass; None when it is, or may be, another one."""
    if data.find(b'"audio_event"', 0, _PEEK_BYTES) < 0 or len(data) > MAX_MESSAGE_BYTES:
        return None
    try:
        message = _decode_sound(data)
    except _MALFORMED:
        return None
    return message.audio_event if message.type == "audio" else None


def decode_signed_url(data: bytes) -> str:
    """The address in the answer to a signing request. Raises `RemoteProtocolError`."""
    try:
        return _decode_signed(data).signed_url
    except _MALFORMED as error:
        raise RemoteProtocolError(f"no signed_url: {error}") from error


def audio_of(chunk: AudioChunk, audio_format: AudioFormat) -> bytes:
    """The samples of a chunk. Raises `RemoteProtocolError` for no base64 or half a sample."""
    try:
        data = pybase64.b64decode(chunk.audio_base_64, validate=True)
    except ValueError as error:
        raise RemoteProtocolError(f"audio is not base64: {error}") from error
    if len(data) % audio_format.bytes_per_sample:
        raise RemoteProtocolError(f"{len(data)} bytes are no whole samples")
    return data


def format_named(name: str) -> AudioFormat:
    """The format of that name. Raises `RemoteProtocolError` for one we do not know."""
    found = FORMATS.get(name)
    if found is None:
        raise RemoteProtocolError(f"audio format {name!r:.40} is not known here")
    return found
