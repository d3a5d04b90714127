"""OpenAI Realtime, receiving half: server messages become events and change the session's state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.audio.formats import Encoding
from bridge.errors import RemoteProtocolError
from bridge.providers.base import (
    Audio,
    AudioDone,
    ErrorKind,
    FunctionCall,
    Interrupted,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Speaker,
    SpeechStarted,
    SpeechStopped,
    TranscriptDelta,
    TranscriptFinal,
)
from bridge.providers.openai import errors
from bridge.providers.openai.events import (
    AudioDelta,
    ErrorBody,
    ErrorEvent,
    Item,
    ItemEvent,
    PartEvent,
    Response,
    ResponseEvent,
    SessionEvent,
    SpeechEvent,
    TranscriptionEvent,
    decode,
    decode_audio_delta,
    decode_base64,
    ended_response,
)
from bridge.providers.openai.session import echoed_format_problem
from bridge.providers.openai.state import SessionState
from bridge.providers.openai.usage import count, response_usage, transcription_usage

MAX_MALFORMED = 20
"""After so many broken messages the session is given up."""
MAX_OPEN_CALLS = 64
"""Function calls that may wait for their results at the same time."""

_RUNNABLE = ("completed", "incomplete")
"""Responses whose completed function calls are carried out; a cancelled one's are not."""
_EXPENDABLE = (
    "response.cancel",
    "conversation.item.truncate",
    "conversation.item.delete",
    "conversation.item.retrieve",
)
"""Commands whose refusal means only that they came too late, or that the server lives."""


class Inbox:
    """Turns each message into events of `state`."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._odd_size = 2 if state.options.output_format.encoding is Encoding.L16 else 1
        self._handlers = self._handler_table()

    def receive(self, data: bytes, now: float) -> None:
        """Take one message; never raises."""
        try:
            delta = decode_audio_delta(data)
            if delta is not None:
                self._on_audio(delta, now)
                return
            decoded = decode(data)
            if decoded is not None:
                name, event = decoded
                self._handlers[name](event, now)
        except RemoteProtocolError as error:
            self._on_malformed(error)
            self._end_response(ended_response(data))

    def _handler_table(self) -> dict[str, Callable[[Any, float], None]]:
        transcription = "conversation.item.input_audio_transcription"
        return {
            "session.created": self._on_session_created,
            "session.updated": self._on_session_updated,
            "input_audio_buffer.speech_started": self._on_speech_started,
            "input_audio_buffer.speech_stopped": self._on_speech_stopped,
            "input_audio_buffer.timeout_triggered": self._on_idle_timeout,
            f"{transcription}.delta": self._on_caller_words,
            f"{transcription}.completed": self._on_caller_transcript,
            f"{transcription}.failed": self._on_transcription_failed,
            "conversation.item.added": self._on_item,
            "response.created": self._on_response_created,
            "response.output_audio.delta": self._on_audio,
            "response.output_audio.done": self._on_audio_done,
            "response.output_audio_transcript.delta": self._on_agent_words,
            "response.output_audio_transcript.done": self._on_agent_transcript,
            "response.output_text.delta": self._on_agent_words,
            "response.output_text.done": self._on_agent_transcript,
            "response.done": self._on_response_done,
            "error": self._on_error,
        }

    # --- session ------------------------------------------------------------------------------

    def _on_session_created(self, event: SessionEvent, now: float) -> None:
        self._state.session_id = event.session.id or ""
        self._state.model = event.session.model or self._state.model

    def _on_session_updated(self, event: SessionEvent, now: float) -> None:
        state = self._state
        if state.ready:
            return  # the answer to `ask_for_life`
        problem = echoed_format_problem(state.options, event.session)
        if problem:
            state.tell(errors.failure(errors.REFUSED, "audio_format_refused", problem))
            return
        state.ready = True
        state.tell(SessionReady(event.session.id or state.session_id))

    # --- the caller's turn --------------------------------------------------------------------

    def _on_speech_started(self, event: SpeechEvent, now: float) -> None:
        self._state.caller_speaks = True
        self._state.requests.speech_started(now)
        self._state.tell(SpeechStarted(_position(event.audio_start_ms), event.item_id or ""))

    def _on_speech_stopped(self, event: SpeechEvent, now: float) -> None:
        self._state.caller_speaks = False
        self._state.requests.turn_ended(now)
        self._state.tell(SpeechStopped(_position(event.audio_end_ms), event.item_id or ""))

    def _on_idle_timeout(self, event: SpeechEvent, now: float) -> None:
        self._state.requests.turn_ended(now)

    def _on_caller_words(self, event: TranscriptionEvent, now: float) -> None:
        if event.delta:
            self._state.tell(TranscriptDelta(Speaker.CALLER, event.item_id or "", event.delta))

    def _on_caller_transcript(self, event: TranscriptionEvent, now: float) -> None:
        if event.transcript is not None:
            final = TranscriptFinal(Speaker.CALLER, event.item_id or "", event.transcript)
            self._state.tell(final)
        if event.usage is not None:
            model = self._state.transcription_model
            self._state.tell(transcription_usage(event.usage, model))

    def _on_transcription_failed(self, event: TranscriptionEvent, now: float) -> None:
        body = event.error or ErrorBody()
        code = body.code or "transcription_failed"
        self._state.tell(errors.failure(errors.TURN_LOST, code, body.message or ""))

    def _on_item(self, event: ItemEvent, now: float) -> None:
        self._state.unconfirmed.discard(event.item.id or "")

    # --- the agent's answer -------------------------------------------------------------------

    def _on_response_created(self, event: ResponseEvent, now: float) -> None:
        state, response_id = self._state, event.response.id
        state.requests.created(response_id, sees_all=not state.unconfirmed)
        if state.cancel_when_created:
            state.cancel_when_created = False
            state.cancelled_id = response_id
        state.tell(ResponseStarted(response_id))

    def _on_audio(self, delta: AudioDelta, now: float) -> None:
        state = self._state
        item_id, response_id = delta.item_id or "", delta.response_id or ""
        if response_id and response_id == state.cancelled_id:
            state.late_audio += 1
            return
        audio = decode_base64(delta.delta)
        if len(audio) % self._odd_size:
            raise RemoteProtocolError(f"half a sample: audio of {len(audio)} bytes")
        if audio:
            state.generated.add(item_id, len(audio))
            state.tell(Audio(response_id, item_id, audio))

    def _on_audio_done(self, event: PartEvent, now: float) -> None:
        self._state.tell(AudioDone(event.response_id or "", event.item_id or ""))

    def _on_agent_words(self, event: PartEvent, now: float) -> None:
        if event.delta:
            self._state.tell(TranscriptDelta(Speaker.AGENT, event.item_id or "", event.delta))

    def _on_agent_transcript(self, event: PartEvent, now: float) -> None:
        text = event.text if event.transcript is None else event.transcript
        if text is not None:
            self._state.tell(TranscriptFinal(Speaker.AGENT, event.item_id or "", text))

    def _on_response_done(self, event: ResponseEvent, now: float) -> None:
        state, response = self._state, event.response
        state.requests.done(response.id)
        if response.usage is not None:
            state.tell(response_usage(response.usage, state.model))
        calls = self._function_calls(response)
        for call in calls:
            state.open_calls.add(call.call_id)
            state.tell(call)
        if calls and state.requests.withdraw_answer():
            # An answer asked for meanwhile would be given without the functions' results.
            state.answer_after_calls = True
        self._tell_end(response, len(calls))

    def _function_calls(self, response: Response) -> list[FunctionCall]:
        if (response.status or "completed") not in _RUNNABLE:
            return []
        calls = [_function_call(item, response.id) for item in response.output or ()]
        found = [call for call in calls if call is not None]
        if len(found) + len(self._state.open_calls) > MAX_OPEN_CALLS:
            raise RemoteProtocolError(f"more than {MAX_OPEN_CALLS} function calls at once")
        return found

    def _tell_end(self, response: Response, calls: int) -> None:
        status = response.status or "completed"
        details = response.status_details
        reason = (details.reason if details else None) or ""
        kind = None
        if status == "failed":
            body = (details.error if details else None) or ErrorBody()
            kind = self._tell_turn_failure(body)
        if status == "cancelled" and reason == "turn_detected":
            self._state.tell(Interrupted(response.id))
        self._state.tell(ResponseDone(response.id, status, reason, kind, calls))

    def _tell_turn_failure(self, body: ErrorBody) -> ErrorKind:
        """A failed response costs the turn, not the session; the kind says what to expect next."""
        meaning = errors.meaning_of(body.code or "", body.type or "")
        turn = errors.Meaning(meaning.kind, fatal=False, retryable=meaning.retryable)
        code = body.code or body.type or "response_failed"
        self._state.tell(errors.failure(turn, code, body.message or ""))
        return meaning.kind

    # --- errors -------------------------------------------------------------------------------

    def _on_error(self, event: ErrorEvent, now: float) -> None:
        state, body = self._state, event.error
        code, cause = body.code or "", body.event_id or ""
        command = cause.rpartition("-")[0]
        if command == "response.create" and cause == state.create_id:
            busy = code == errors.ACTIVE_RESPONSE
            state.requests.refused(now, again=busy)
            state.cancel_when_created = False
            if busy:
                return
        if code in errors.BENIGN or code == errors.ACTIVE_RESPONSE or command in _EXPENDABLE:
            return
        meaning = errors.meaning_of(code, body.type or "")
        if command == "session.update":
            if state.ready:
                return  # a server that does not take updates of nothing has shown that it lives
            meaning = errors.Meaning(meaning.kind, fatal=True, retryable=meaning.retryable)
        state.tell(errors.failure(meaning, code or body.type or "error", body.message or ""))

    def _on_malformed(self, error: RemoteProtocolError) -> None:
        state = self._state
        state.malformed_messages += 1
        fatal = error.close_code == 1009 or state.malformed_messages >= MAX_MALFORMED
        state.tell(errors.protocol_failure("malformed_message", str(error), fatal=fatal))

    def _end_response(self, response_id: str | None) -> None:
        """However broken its last message is, a response that is over must not seem to go on."""
        if response_id is not None:
            self._state.requests.done(response_id)
            self._state.tell(ResponseDone(response_id, "failed", "", ErrorKind.PROTOCOL))


def _position(value: float | None) -> int | None:
    return None if value is None else count(value)


def _function_call(item: Item, response_id: str) -> FunctionCall | None:
    if item.type != "function_call" or item.status not in (None, "completed"):
        return None
    if not item.call_id or not item.name:
        raise RemoteProtocolError("function call without call_id or name")
    return FunctionCall(item.call_id, item.name, item.arguments or "", response_id)
