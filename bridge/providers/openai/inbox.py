"""OpenAI Realtime, receiving half: server messages become events and change the session's state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bridge.audio.formats import Encoding
from bridge.errors import RemoteProtocolError
from bridge.providers.base import (
    Audio,
    CallerStarted,
    CallerStopped,
    ErrorKind,
    Interrupted,
    Pieces,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
)
from bridge.providers.conversation import Speaker
from bridge.providers.openai import errors
from bridge.providers.openai.ends import failure_of, reason_of, response_end, status_of
from bridge.providers.openai.errors import read_error
from bridge.providers.openai.events import (
    decode,
    decode_audio_delta,
    decode_base64,
    ended_response,
    is_dropped,
    metadata_of,
    response_usage_of,
    transcription_usage_of,
)
from bridge.providers.openai.refusals import Refusals
from bridge.providers.openai.responses import ANSWER, ResponseState
from bridge.providers.openai.session import echoed_format_problem
from bridge.providers.openai.shapes import SHAPES
from bridge.providers.openai.state import SessionState
from bridge.providers.openai.structures import (
    AudioDelta,
    CallEvent,
    ItemEvent,
    PartEvent,
    PieceEvent,
    Response,
    ResponseEvent,
    SessionEvent,
    SpeechEvent,
    TranscriptionEvent,
)
from bridge.providers.openai.usage import response_usage, transcription_usage

MAX_MALFORMED = 20
"""After so many broken messages the session is given up."""
MAX_PIECED_ITEMS, MAX_PIECED_CHARS = 16, 65_536
"""Of transcripts that come in pieces."""
TOKEN = "token"
"""Key of a request's token in the `metadata` of its response."""


class Inbox:
    """Turns each message into events of `state`."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        linear = state.conversation.audio_out.encoding is Encoding.L16
        self._odd_size = 2 if linear else 1
        self._refusals = Refusals(state)
        self._gathers = not SHAPES[state.config.api_shape].whole_transcripts
        self._pieces: dict[str, str] = {}
        """Of transcripts that are told in pieces alone, by item."""
        self._unnamed = 0
        """Responses whose server gave them no id."""

    def receive(self, data: bytes, now: float) -> None:
        """Take one message; never raises."""
        try:
            delta = decode_audio_delta(data)
            if delta is not None:
                self._on_audio(delta, now)
                return
            if is_dropped(data, words=self._gathers):
                return
            decoded = decode(data)
            if decoded is not None:
                name, event = decoded
                _HANDLERS[name](self, event, now)
        except RemoteProtocolError as error:
            self._on_malformed(error)
            self._end_response(ended_response(data))

    def receive_audio(self, messages: Sequence[bytes]) -> Pieces:
        """Take messages as long as they are audio of the active response, or dropped unread."""
        state, audio, taken = self._state, [], 0
        running = state.requests.response_id or ""
        wanted = running and running != state.cancelled_id
        for data in messages:
            delta = decode_audio_delta(data)
            if delta is not None:
                sound = self._sound(delta) if wanted and delta.response_id == running else b""
                if not sound:
                    break
                audio.append(self._sounds(running, delta, sound))
            elif not is_dropped(data, words=self._gathers):
                break
            taken += 1
        return Pieces(audio, taken)

    def _sound(self, delta: AudioDelta) -> bytes:
        """Whole samples; empty: there are none in it."""
        try:
            data = decode_base64(delta.delta)
        except RemoteProtocolError:
            return b""
        return b"" if len(data) % self._odd_size else data

    def _sounds(self, response_id: str, delta: AudioDelta, data: bytes) -> Audio:
        state, item_id = self._state, delta.item_id or ""
        state.generated.add(item_id, delta.content_index or 0, len(data))
        if response_id != state.sounding:
            state.sounded(response_id)
        return Audio(response_id, item_id, data)

    # --- session ------------------------------------------------------------------------------

    def _on_session_created(self, event: SessionEvent, now: float) -> None:
        if event.created is not None and event.session.id is None:
            self._state.tell(
                errors.failure(errors.REFUSED, "transcribes_only", errors.TRANSCRIBES_ONLY)
            )
            return
        self._state.session_id = event.session.id or ""
        self._state.model = event.session.model or self._state.model
        self._state.announced_end(event.session.expires_at)

    def _on_session_updated(self, event: SessionEvent, now: float) -> None:
        state, conversation = self._state, self._state.conversation
        if state.ready:
            return  # the answer to a probe
        problem = echoed_format_problem(conversation, event.session)
        if problem:
            state.tell(errors.failure(errors.REFUSED, "audio_format_refused", problem))
            return
        state.ready = True
        state.announced_end(event.session.expires_at)
        session_id = event.session.id or state.session_id
        state.tell(SessionReady(session_id, conversation.audio_in, conversation.audio_out))

    # --- the caller's turn --------------------------------------------------------------------

    def _on_speech_started(self, event: SpeechEvent, now: float) -> None:
        state = self._state
        state.caller_speaks = True
        state.requests.speech_started(now)
        state.tell(CallerStarted(event.item_id or ""))
        if state.config.interrupt_response and state.requests.state is ResponseState.ACTIVE:
            self._interrupted(state.requests.response_id or "")

    def _interrupted(self, response_id: str) -> None:
        """The server stops this answer because the caller speaks."""
        state = self._state
        state.cancelled_id = response_id
        state.requests.cancelled()
        if state.interrupted_id != response_id:
            state.interrupted_id = response_id
            state.tell(Interrupted(response_id))

    def _on_speech_stopped(self, event: SpeechEvent, now: float) -> None:
        state, requests = self._state, self._state.requests
        state.caller_speaks = False
        requests.turn_ended(now)
        if requests.state is ResponseState.ACTIVE and not state.config.interrupt_response:
            requests.turn_unanswered(ask=state.cancelled_id == requests.response_id)
        state.tell(CallerStopped(event.item_id or ""))

    def _on_committed(self, event: SpeechEvent, now: float) -> None:
        """The caller's turn is an item; where the service does not answer it, we ask for that."""
        state = self._state
        state.committed_turn = event.item_id or ""
        state.order.follows(state.committed_turn, event.previous_item_id or "")
        state.requests.conversation_changed()
        if state.committed_turn and state.committed_turn == state.disregarded_turn:
            return
        if state.config.turn_detection != "none" and not state.config.create_response:
            state.requests.add(ANSWER)

    def _on_idle_timeout(self, event: SpeechEvent, now: float) -> None:
        self._state.requests.turn_ended(now)

    def _on_caller_transcript(self, event: TranscriptionEvent, now: float) -> None:
        if event.transcript is not None:
            self._tell_words(Speaker.CALLER, event.item_id or "", event.transcript)
        usage = transcription_usage_of(event.usage)
        if usage is not None:
            config = self._state.config
            self._state.tell(transcription_usage(usage, config.vendor, config.transcription_model))

    def _on_transcription_failed(self, event: TranscriptionEvent, now: float) -> None:
        error = read_error(event.error)
        self._tell_words(Speaker.CALLER, event.item_id or "", "")
        self._state.tell(error.failure(errors.TURN_LOST, "transcription_failed"))

    def _tell_words(self, speaker: Speaker, item_id: str, text: str) -> None:
        state = self._state
        state.tell(Transcript(speaker, item_id, text, state.order.before(item_id)))

    def _on_item(self, event: ItemEvent, now: float) -> None:
        item_id = event.item.id or ""
        self._state.unconfirmed.pop(item_id, None)
        self._state.order.follows(item_id, event.previous_item_id or "")

    # --- the agent's answer -------------------------------------------------------------------

    def _on_response_created(self, event: ResponseEvent, now: float) -> None:
        state, response = self._state, event.response
        if not response.id:
            self._unnamed += 1
            response.id = f"unnamed_{self._unnamed}"
        token = self._token(response)
        own = state.requests.state is not ResponseState.REQUESTED
        state.answering_turn = state.committed_turn if own else ""
        state.requests.created(response.id, sees_all=not state.unconfirmed)
        if state.cancel_when_created:
            state.cancel_when_created = False
            state.cancelled_id = response.id
            state.requests.cancelled()
        if state.answering_turn and state.answering_turn == state.disregarded_turn:
            state.unwanted(response.id)
            state.cancel_due = True
            return
        state.tell(ResponseStarted(response.id, token))

    def _token(self, response: Response) -> str:
        """The token of the request this answers.

        A server that knows metadata tells it. Another's response that begins while ours is
        awaited is taken for ours.
        """
        metadata = metadata_of(response.metadata)
        if metadata is not None:
            token = metadata.get(TOKEN)
            return token if isinstance(token, str) else ""
        requests = self._state.requests
        asked = requests.in_flight if requests.state is ResponseState.REQUESTED else None
        return asked.token if asked is not None else ""

    def _on_audio(self, delta: AudioDelta, now: float) -> None:
        state = self._state
        response_id = delta.response_id or state.requests.response_id or ""
        if response_id and response_id == state.cancelled_id:
            return
        audio = decode_base64(delta.delta)
        if len(audio) % self._odd_size:
            raise RemoteProtocolError(f"half a sample: audio of {len(audio)} bytes")
        if audio:
            state.tell(self._sounds(response_id, delta, audio))

    def _on_agent_words(self, event: PieceEvent, now: float) -> None:
        """Nobody's words grow for ever: what is beyond the limits is left out."""
        item_id = event.item_id or ""
        if item_id in self._pieces or len(self._pieces) < MAX_PIECED_ITEMS:
            words = self._pieces.get(item_id, "") + (event.delta or "")
            self._pieces[item_id] = words[:MAX_PIECED_CHARS]

    def _on_agent_transcript(self, event: PartEvent, now: float) -> None:
        pieces = self._pieces.pop(event.item_id or "", None)
        words = pieces if event.transcript is None else event.transcript
        if words is not None:
            self._tell_words(Speaker.AGENT, event.item_id or "", words)

    def _on_output_item(self, event: ItemEvent, now: float) -> None:
        self._state.calls.announced(event.item)

    def _on_output_item_done(self, event: ItemEvent, now: float) -> None:
        self._state.calls.item_done(event.item, event.response_id or "")

    def _on_arguments(self, event: CallEvent, now: float) -> None:
        self._state.calls.arguments_done(event)

    def _on_response_done(self, event: ResponseEvent, now: float) -> None:
        state, response = self._state, event.response
        response.id = response.id or state.requests.response_id or ""
        if not response.id or not state.over(response.id):
            return
        state.requests.done(response.id)
        usage = response_usage_of(response.usage)
        if usage is not None:
            state.tell(response_usage(usage, state.config.vendor, state.model))
        status = status_of(response)
        if response.id in state.unwanted_ids:
            return
        calls = state.calls.run(response.id, status, response.output or ())
        for call in calls:
            state.tell(call)
        if calls:
            # An answer asked for meanwhile would be given without the functions' results.
            state.requests.withdraw_answer()
        spoke = bool(calls) or state.has_sounded(response.id)
        state.wrote = status == "completed" and not spoke
        self._tell_end(response, status, spoke=spoke)

    def _tell_end(self, response: Response, status: str, *, spoke: bool) -> None:
        reason = reason_of(response)
        if status == "cancelled" and reason == "turn_detected":
            self._interrupted(response.id)
        failure = failure_of(response) if status == "failed" else None
        if failure is not None:
            self._state.tell(failure)
        self._state.tell(response_end(response.id, status, reason, failure, spoke=spoke))

    # --- broken messages ----------------------------------------------------------------------

    def _on_malformed(self, error: RemoteProtocolError) -> None:
        state = self._state
        state.malformed_messages += 1
        fatal = error.close_code == 1009 or state.malformed_messages >= MAX_MALFORMED
        state.tell(errors.protocol_failure("malformed_message", str(error), fatal=fatal))

    def _end_response(self, response_id: str | None) -> None:
        """However broken its last message is, a response that is over must not seem to go on."""
        state = self._state
        if response_id is None:
            return
        state.over(response_id)
        state.requests.done(response_id)
        spoke = state.has_sounded(response_id)
        state.tell(ResponseDone(response_id, "failed", "", ErrorKind.PROTOCOL, spoke))


_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_HANDLERS: dict[str, Callable[[Inbox, Any, float], None]] = {
    "session.created": Inbox._on_session_created,
    "session.updated": Inbox._on_session_updated,
    "input_audio_buffer.speech_started": Inbox._on_speech_started,
    "input_audio_buffer.speech_stopped": Inbox._on_speech_stopped,
    "input_audio_buffer.committed": Inbox._on_committed,
    "input_audio_buffer.timeout_triggered": Inbox._on_idle_timeout,
    f"{_TRANSCRIPTION}.completed": Inbox._on_caller_transcript,
    f"{_TRANSCRIPTION}.failed": Inbox._on_transcription_failed,
    "conversation.item.added": Inbox._on_item,
    "response.created": Inbox._on_response_created,
    "response.output_audio.delta": Inbox._on_audio,
    "response.output_audio_transcript.delta": Inbox._on_agent_words,
    "response.output_audio_transcript.done": Inbox._on_agent_transcript,
    "response.output_item.added": Inbox._on_output_item,
    "response.output_item.done": Inbox._on_output_item_done,
    "response.function_call_arguments.done": Inbox._on_arguments,
    "response.done": Inbox._on_response_done,
    "error": lambda inbox, event, now: inbox._refusals.on_error(event, now),
}
