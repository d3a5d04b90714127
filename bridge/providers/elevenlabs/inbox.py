"""ElevenLabs Agents, receiving half: server messages become events and change the state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.audio.formats import AudioFormat
from bridge.errors import RemoteProtocolError
from bridge.providers.base import (
    Audio,
    Ended,
    FunctionCall,
    Interrupted,
    Pieces,
    ProviderEvent,
    ProviderFailure,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
)
from bridge.providers.conversation import Conversation, Speaker
from bridge.providers.elevenlabs import errors
from bridge.providers.elevenlabs.answers import QUIET_S, VOICE_WAIT_S, Answer, Answers
from bridge.providers.elevenlabs.messages import (
    DEFAULT_INPUT,
    AgentWords,
    AudioChunk,
    CallerWords,
    Correction,
    ErrorBody,
    Interruption,
    Metadata,
    Ping,
    ToolCall,
    ToolResponse,
    audio_of,
    decode,
    decode_audio,
    format_named,
)
from bridge.short_queue import ShortQueue

MAX_MALFORMED = 20
"""After so many broken messages the conversation is given up."""
MAX_OPEN_CALLS = 64
"""Function calls that may wait for their results at the same time."""
MAX_ID_CHARS = 256
MAX_REMEMBERED = 1024
"""Calls that are known to have been told."""
END_CALL = "end_call"
"""The service's own tool with which an agent hangs up."""


@dataclass(slots=True)
class SessionState:
    """One conversation, shared by the sending and the receiving half."""

    conversation: Conversation
    opening_token: str
    events: ShortQueue[ProviderEvent] = field(default_factory=ShortQueue)
    answers: Answers = field(default_factory=Answers)
    audio_out: AudioFormat | None = None
    """As the agent told; None until it is ready."""
    over: bool = False
    """The last event was told; nothing more is sent, read or told."""
    pings: list[int] = field(default_factory=list)
    """To be answered."""
    open_calls: set[str] = field(default_factory=set)
    told_calls: dict[str, None] = field(default_factory=dict)
    hangs_up: bool = False
    """The agent has used its tool for that."""
    malformed_messages: int = 0
    _caller_items: int = 0

    @property
    def ready(self) -> bool:
        """The agent listens."""
        return self.audio_out is not None

    def tell(self, event: ProviderEvent) -> None:
        """Queue an event; nothing follows the last one."""
        if self.over:
            return
        self.events.append(event)
        if isinstance(event, Ended) or (isinstance(event, ProviderFailure) and event.fatal):
            self.over = True

    def caller_item(self) -> str:
        """A name for the next thing the caller says."""
        self._caller_items += 1
        return f"caller-{self._caller_items}"


class Inbox:
    """Turns each message into events of `state`."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._handlers: dict[str, Callable[[Any, float], None]] = {
            "conversation_initiation_metadata": self._on_metadata,
            "ping": self._on_ping,
            "audio": self._on_audio,
            "user_transcript": self._on_caller_words,
            "agent_response": self._on_agent_words,
            "agent_response_correction": self._on_correction,
            "interruption": self._on_interruption,
            "client_tool_call": self._on_tool_call,
            "agent_tool_response": self._on_tool_response,
            "error": self._on_error,
        }

    def receive(self, data: bytes, now: float) -> None:
        """Take one message; never raises."""
        state = self._state
        try:
            decoded = decode(data)
            if decoded is not None:
                kind, body = decoded
                self._handlers[kind](body, now)
        except RemoteProtocolError as error:
            state.malformed_messages += 1
            fatal = state.malformed_messages >= MAX_MALFORMED
            state.tell(errors.protocol_failure("malformed_message", str(error), fatal=fatal))

    def receive_audio(self, messages: Sequence[bytes], now: float) -> Pieces:
        """Take messages as long as they are audio of the answer under way."""
        audio: list[Audio] = []
        for data in messages:
            piece = self._piece(data, now)
            if piece is None:
                break
            audio.append(piece)
        return Pieces(audio, len(audio))

    def _piece(self, data: bytes, now: float) -> Audio | None:
        """None: it is anything else, and nothing is changed."""
        state, event = self._state, decode_audio(data)
        if event is None or state.audio_out is None:
            return None
        try:
            sound = audio_of(event, state.audio_out)
        except RemoteProtocolError:
            return None
        until = now + QUIET_S
        answer = state.answers.goes_on(event.event_id, until) if sound else None
        if answer is None:
            return None
        answer.sounded = True
        return Audio(answer.response_id, answer.item_id, sound)

    def handle_timeout(self, now: float) -> None:
        """Nothing has come of the answer for a while: it is over."""
        answer = self._state.answers.over(now)
        if answer is not None:
            self._done(answer)

    def _done(self, answer: Answer) -> None:
        spoke = answer.sounded or answer.called
        self._state.tell(ResponseDone(answer.response_id, "completed", spoke=spoke))

    # --- the conversation ---------------------------------------------------------------------

    def _on_metadata(self, event: Metadata, now: float) -> None:
        state = self._state
        if state.ready:
            return
        try:
            audio_in = format_named(event.user_input_audio_format or DEFAULT_INPUT)
            audio_out = format_named(event.agent_output_audio_format)
        except RemoteProtocolError as error:
            state.tell(errors.protocol_failure("audio_format_unknown", str(error), fatal=True))
            return
        state.audio_out = audio_out
        state.tell(SessionReady(event.conversation_id[:MAX_ID_CHARS], audio_in, audio_out))

    def _on_ping(self, event: Ping, now: float) -> None:
        self._state.pings.append(event.event_id)

    def _on_tool_response(self, event: ToolResponse, now: float) -> None:
        self._state.hangs_up |= event.tool_name == END_CALL and not event.is_error

    def _on_error(self, event: ErrorBody, now: float) -> None:
        self._state.tell(errors.error_failure(event))

    # --- the agent ----------------------------------------------------------------------------

    def _on_audio(self, event: AudioChunk, now: float) -> None:
        state = self._state
        if state.audio_out is None:
            raise RemoteProtocolError("audio before the conversation has begun")
        data = audio_of(event, state.audio_out)
        answers = state.answers
        if answers.is_cut(event.event_id) or not data:
            return
        answer, _ = self._place(event.event_id)
        answer.sounded = True
        answers.expect(now + QUIET_S)
        state.tell(Audio(answer.response_id, answer.item_id, data))

    def _on_agent_words(self, event: AgentWords, now: float) -> None:
        answers, number = self._state.answers, event.event_id
        known = number is not None and answers.find(number) is not None
        if number is not None and not known and answers.is_cut(number):
            return
        current = answers.current
        if not known and current is not None and current.has_words:
            answers.part()
        answer, began = self._place(number)
        if began:
            answers.expect(now + VOICE_WAIT_S)
        answer.has_words = True
        self._state.tell(Transcript(Speaker.AGENT, answer.item_id, event.agent_response.strip()))

    def _place(self, number: int | None) -> tuple[Answer, bool]:
        """The answer of an event, and whether it is new: then the one before it is over."""
        state = self._state
        before = state.answers.current if state.answers.quiet_at is not None else None
        answer, began = state.answers.place(number)
        if began:
            if before is not None:
                self._done(before)
            token, state.opening_token = state.opening_token, ""
            state.tell(ResponseStarted(answer.response_id, token))
        return answer, began

    def _on_correction(self, event: Correction, now: float) -> None:
        answers, number = self._state.answers, event.event_id
        answer = answers.current if number is None else answers.find(number)
        text = event.corrected_agent_response.strip()
        if answer is not None and text:
            self._state.tell(Transcript(Speaker.AGENT, answer.item_id, text))

    def _on_interruption(self, event: Interruption, now: float) -> None:
        cut = self._state.answers.interrupted(event.event_id)
        if cut is not None:
            self._state.tell(Interrupted(cut.response_id))

    # --- the caller ---------------------------------------------------------------------------

    def _on_caller_words(self, event: CallerWords, now: float) -> None:
        state = self._state
        state.answers.part()
        text = event.user_transcript.strip()
        state.tell(Transcript(Speaker.CALLER, state.caller_item(), text))

    # --- functions ----------------------------------------------------------------------------

    def _on_tool_call(self, event: ToolCall, now: float) -> None:
        state = self._state
        call_id = event.tool_call_id
        if not 0 < len(call_id) <= MAX_ID_CHARS or not event.tool_name:
            raise RemoteProtocolError("function call without a usable id or name")
        if call_id in state.told_calls:
            return
        if len(state.open_calls) >= MAX_OPEN_CALLS:
            raise RemoteProtocolError(f"more than {MAX_OPEN_CALLS} function calls at once")
        state.open_calls.add(call_id)
        state.told_calls[call_id] = None
        while len(state.told_calls) > MAX_REMEMBERED:
            del state.told_calls[next(iter(state.told_calls))]
        response_id = self._calling()
        arguments = bytes(event.parameters).decode("utf-8", "replace")
        state.tell(FunctionCall(call_id, event.tool_name, arguments, response_id))

    def _calling(self) -> str:
        """The answer under way has called a function; empty when there is none."""
        answers = self._state.answers
        answer = answers.current
        if answer is None or answers.quiet_at is None:
            return ""
        answer.called = True
        return answer.response_id
