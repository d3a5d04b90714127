"""What every provider's protocol object looks like.

Messages in, typed events out; commands in, messages out. A protocol object is pure: it has no
socket, clock or log. `bridge.providers.host` moves its bytes and hands it the time.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bridge.audio.formats import AudioFormat


class Speaker(enum.Enum):
    """Who said a piece of transcript."""

    CALLER = "user"
    AGENT = "assistant"


class ErrorKind(enum.Enum):
    """Why a provider failed, as far as the caller's experience is concerned."""

    AUTHENTICATION = "authentication"
    QUOTA = "quota"
    RATE_LIMIT = "rate_limit"
    INVALID_REQUEST = "invalid_request"
    SESSION_EXPIRED = "session_expired"
    SERVER = "server"
    CONNECTION = "connection"
    PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a provider can do; the session adapts to it and never asks for its name."""

    input_formats: tuple[AudioFormat, ...]
    """Formats it takes, best first."""
    output_formats: tuple[AudioFormat, ...]
    server_turn_detection: bool = True
    truncate: bool = False
    """Its history can be cut at the millisecond the caller heard."""
    cancels_on_speech: bool = False
    """It cancels its own answer when the caller starts to speak."""
    tools: bool = True
    text_input: bool = True
    text_greeting: bool = True
    """It can be told what to say first."""
    session_limit_s: float | None = None


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """How the provider finds the caller's turns. `None` fields keep the provider's default."""

    mode: str = "server_vad"
    """server_vad | semantic_vad | none"""
    threshold: float | None = None
    prefix_padding_ms: int | None = None
    silence_duration_ms: int | None = None
    eagerness: str | None = None
    """semantic_vad: low | medium | high | auto"""
    idle_timeout_ms: int | None = None
    create_response: bool = True
    interrupt_response: bool = True


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """JSON Schema of the arguments object."""


@dataclass(frozen=True, slots=True)
class ConversationOptions:
    """One conversation's settings, in no provider's own words."""

    input_format: AudioFormat
    output_format: AudioFormat
    instructions: str = ""
    greeting: str = ""
    """What the agent says first; empty lets the caller begin."""
    voice: str | None = None
    language: str | None = None
    """ISO 639-1 code for transcription, e.g. `pt`."""
    turn_detection: TurnDetection = field(default_factory=TurnDetection)
    noise_reduction: str | None = None
    """near_field | far_field"""
    transcription_model: str | None = None
    tools: Sequence[Tool] = ()
    tool_choice: str = "auto"
    max_output_tokens: int | None = None
    speed: float | None = None
    history: Sequence[tuple[Speaker, str]] = ()
    """What was said before, when a conversation goes on with this provider."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Provider-specific session fields, laid over what this builds."""
    transcription_prompt: str | None = None
    """Names and words the transcription should expect."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to open the WebSocket. `headers` may hold secrets: never log them."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    subprotocols: tuple[str, ...] = ()


# --- events ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionReady:
    """The provider took our settings; audio may flow and a greeting may be asked for."""

    session_id: str


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak: the moment of a barge-in."""

    audio_ms: int | None = None
    """Position in the caller's audio, counted by the provider."""
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller's turn ended."""

    audio_ms: int | None = None
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class Audio:
    """A piece of the agent's voice in the conversation's output format."""

    response_id: str
    item_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class TranscriptDelta:
    """A few more words."""

    speaker: Speaker
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class TranscriptFinal:
    """All words of one item."""

    speaker: Speaker
    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """The model began to answer."""

    response_id: str


@dataclass(frozen=True, slots=True)
class AudioDone:
    """All audio of one item has been sent."""

    response_id: str
    item_id: str


@dataclass(frozen=True, slots=True)
class ResponseDone:
    """The answer is complete, cut or failed."""

    response_id: str
    status: str
    """completed | cancelled | incomplete | failed"""
    reason: str = ""
    error_kind: ErrorKind | None = None
    function_calls: int = 0
    """Functions this response asks for; after their results an answer must be requested."""


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """The model wants a function run."""

    call_id: str
    name: str
    arguments: str
    """JSON text exactly as the model wrote it: hostile until parsed."""
    response_id: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What is to be paid for, as the provider counts it."""

    model: str = ""
    input_text_tokens: int = 0
    input_audio_tokens: int = 0
    input_image_tokens: int = 0
    cached_text_tokens: int = 0
    cached_audio_tokens: int = 0
    output_text_tokens: int = 0
    output_audio_tokens: int = 0
    transcription_seconds: float = 0.0
    transcription_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The provider itself dropped the rest of its answer."""

    response_id: str = ""


@dataclass(frozen=True, slots=True)
class GoingAway:
    """The provider will end this session soon."""

    in_s: float


@dataclass(frozen=True, slots=True)
class ProviderFailure:
    """Something went wrong at the provider."""

    kind: ErrorKind
    code: str
    message: str
    """For logs; holds no secret."""
    fatal: bool
    """The session is over."""
    retryable: bool
    """The same provider may work if tried again."""


ProviderEvent = (
    SessionReady
    | SpeechStarted
    | SpeechStopped
    | Audio
    | AudioDone
    | TranscriptDelta
    | TranscriptFinal
    | ResponseStarted
    | ResponseDone
    | FunctionCall
    | Usage
    | Interrupted
    | GoingAway
    | ProviderFailure
)


class ProviderProtocol(Protocol):
    """The pure core of a provider. Times are monotonic seconds."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    def endpoint(self) -> Endpoint:
        """Where the link shall connect."""

    def start(self, options: ConversationOptions, now: float) -> None:
        """The socket is open: configure the session."""

    def receive_message(self, data: bytes, now: float) -> None:
        """Take one whole message. Never raises: bad input becomes a `ProviderFailure` event."""

    def receive_close(self, code: int, reason: str) -> None:
        """The socket closed; the reason becomes a `ProviderFailure` unless we closed it."""

    def next_event(self) -> ProviderEvent | None:
        """Take the next event, or None."""

    def messages_to_send(self) -> list[bytes]:
        """Take all text messages to be sent now, in order."""

    def send_audio(self, data: bytes) -> None:
        """Caller audio in the conversation's input format, any whole number of samples.

        It moves no deadline: the hot path does not ask for `next_deadline` again.
        """

    def send_text(self, text: str) -> None:
        """A text turn of the caller (digits pressed, for instance); asks for an answer."""

    def say(self, text: str) -> None:
        """Ask the agent to say this now."""

    def send_function_result(self, call_id: str, output: str) -> None:
        """Answer a function call; `output` is text, JSON for objects."""

    def request_response(self) -> None:
        """Ask for an answer now (after function results)."""

    def cancel_response(self) -> None:
        """Stop the answer being generated; no effect when there is none."""

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """Cut the history of `item_id` at what the caller heard; 0 removes the item."""

    def ask_for_life(self) -> None:
        """Have the provider send any message at once, without any other effect."""

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called."""

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
