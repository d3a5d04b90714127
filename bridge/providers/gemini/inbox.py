"""Gemini Live: what each message of the service does to the session, and what is told of it.

Order of a turn (Live API guide, 2026-11): `modelTurn` … `generationComplete`, as long a pause as
the answer plays, `turnComplete`; an interrupted one goes through `interrupted` to `turnComplete`.
Transcriptions come at any time.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.errors import RemoteProtocolError
from bridge.providers.base import (
    Audio,
    CallerWords,
    ErrorKind,
    FunctionCancelled,
    GoingAway,
    Interrupted,
    Pieces,
    ResponseDone,
    ResponseStarted,
    SessionReady,
    Transcript,
)
from bridge.providers.conversation import Speaker
from bridge.providers.gemini import errors
from bridge.providers.gemini.messages import (
    Blob,
    Part,
    Resumption,
    ServerContent,
    ServerMessage,
    ToolCall,
    Words,
    decode,
    decode_audio,
    decode_sound,
    is_ours,
    seconds,
)
from bridge.providers.gemini.state import Response, SessionState, joined
from bridge.providers.gemini.usage import usage_of

MAX_MALFORMED = 20
"""After so many broken messages the session is given up."""
WORDS_QUIET_S = 0.6
"""The caller's words have not changed for so long: they are told."""
_GOOD_REASONS = ("", "TURN_COMPLETE_REASON_UNSPECIFIED")


class Inbox:
    """Turns each message into events of `state`."""

    def __init__(self, state: SessionState) -> None:
        self._state = state

    def receive(self, data: bytes, now: float) -> None:
        """Take one message; never raises."""
        try:
            self._take(decode(data), now)
        except RemoteProtocolError as error:
            state = self._state
            state.malformed_messages += 1
            fatal = error.close_code == 1009 or state.malformed_messages >= MAX_MALFORMED
            state.tell(errors.protocol_failure(str(error), fatal=fatal))

    def receive_audio(self, messages: Sequence[bytes], response: Response) -> Pieces:
        """Take messages as long as they are sound of `response`, which is under way."""
        state, audio, taken = self._state, [], 0
        if response.dropped or not state.turn_open:
            return Pieces()
        for data in messages:
            sounds = decode_sound(data)
            if sounds is None:
                break
            audio += [Audio(response.id, response.item_id, sound) for sound in sounds]
            taken += 1
        if taken:
            state.handle, response.sounded = "", True
        return Pieces(audio, taken)

    def _take(self, message: ServerMessage, now: float) -> None:
        state = self._state
        usage = usage_of(message.usage_metadata, state.config.model.rpartition("/")[2])
        if usage is not None:
            state.usage = usage
        if message.setup_complete is not None:
            self._on_setup_complete(message.setup_complete.session_id or "")
        if message.server_content is not None:
            self._on_content(message.server_content, now)
        if message.tool_call is not None:
            self._on_tool_call(message.tool_call)
        if message.tool_call_cancellation is not None:
            for call_id in message.tool_call_cancellation.ids or ():
                if state.calls.cancelled(call_id):
                    state.tell(FunctionCancelled(call_id))
        if message.session_resumption_update is not None:
            self._on_resumption(message.session_resumption_update)
        if message.go_away is not None:
            left_s = seconds(message.go_away.time_left)
            state.tell(GoingAway(state.config.going_away_s if left_s is None else left_s))
        if message.error is not None:
            state.tell(errors.told_failure(message.error))
        if state.usage is not None and not state.turn_open:
            state.tell_usage()

    # --- session ------------------------------------------------------------------------------

    def _on_setup_complete(self, session_id: str) -> None:
        state, conversation = self._state, self._state.conversation
        if not state.ready:
            state.ready = True
            state.tell(SessionReady(session_id, conversation.audio_in, conversation.audio_out))

    def _on_resumption(self, update: Resumption) -> None:
        """A handle holds until something happens that it does not know of."""
        good = update.resumable and not self._state.calls.open
        self._state.handle = (update.new_handle or "") if good else ""

    # --- turns --------------------------------------------------------------------------------

    def _on_content(self, content: ServerContent, now: float) -> None:
        self._state.handle = ""
        if content.input_transcription is not None:
            self._on_caller_words(content.input_transcription, now)
        for part in (content.model_turn.parts if content.model_turn else None) or ():
            self._on_part(part)
        if content.output_transcription is not None:
            self._on_agent_words(content.output_transcription)
        if content.interrupted:
            self._on_interrupted()
        if content.generation_complete:
            self.end_response("completed")
        if content.turn_complete:
            self._on_turn_complete(content.turn_complete_reason or "")

    def _on_part(self, part: Part) -> None:
        if part.thought:
            return
        if part.inline_data is not None:
            self._on_audio(part.inline_data)
        elif part.text:
            response = self._begun()
            response.words = joined(response.words, part.text)

    def _on_audio(self, blob: Blob) -> None:
        if not is_ours(blob):
            text = f"audio as {blob.mime_type!r:.60}"
            self._state.tell(
                errors.failure(ErrorKind.PROTOCOL, "audio_format", text, retryable=False)
            )
            return
        audio = decode_audio(blob)
        response = self._begun()
        if audio and not response.dropped:
            response.sounded = True
            self._state.tell(Audio(response.id, response.item_id, audio))

    def _begun(self) -> Response:
        """The answer under way, or one that begins now."""
        state = self._state
        if state.response is not None:
            return state.response
        self.tell_caller_words()
        if state.caller is not None:
            state.caller.answered = True
        response = state.new_response()
        token, state.token = state.token, ""
        state.ordered = state.we_interrupt = False
        state.tell(ResponseStarted(response.id, token))
        return response

    def end_response(self, status: str, reason: str = "", kind: ErrorKind | None = None) -> None:
        """All there will be of the answer under way is here."""
        state, response = self._state, self._state.response
        if response is None:
            return
        state.response = None
        self.tell_caller_words()
        self._tell_agent_words(response)
        status = "cancelled" if response.dropped else status
        spoke = response.sounded or response.called
        state.tell(ResponseDone(response.id, status, reason, kind, spoke))

    def _on_interrupted(self) -> None:
        """By the caller, or by a message of ours, of which nobody need be told."""
        state, response = self._state, self._state.response or self._state.last
        ours, state.we_interrupt, state.turn_open = state.we_interrupt, False, True
        if response is not None and not ours:
            state.tell(Interrupted(response.id))
        self.end_response("cancelled", "interrupted")
        if not ours:
            state.ordered, state.token = False, ""
        self._close_caller_turn()

    def _on_turn_complete(self, reason: str) -> None:
        state = self._state
        good = reason in _GOOD_REASONS
        if state.turn_open:
            status, kind = ("completed", None) if good else ("incomplete", None)
            self.end_response(status, "" if good else reason[:100], kind)
            if state.last is not None:
                self._tell_agent_words(state.last)
            self._close_caller_turn()
        else:
            self._on_empty_turn(reason if not good else "")
        state.turn_open = state.we_interrupt = False
        state.tell_usage()

    def _on_empty_turn(self, reason: str) -> None:
        """Not a word: a caller may be left without an answer on purpose, an order of ours not."""
        state = self._state
        if state.calls.open:
            return
        if state.ordered or reason:
            state.ordered = False
            state.tell(ResponseDone("", "failed", reason[:100], ErrorKind.SERVER, spoke=False))
            return
        self.tell_caller_words()
        state.tell(ResponseDone("", "silent", spoke=False))
        state.caller = None

    # --- words --------------------------------------------------------------------------------

    def _on_caller_words(self, words: Words, now: float) -> None:
        state = self._state
        if words.text:
            turn = state.caller or state.new_caller_turn()
            turn.words = joined(turn.words, words.text)
            turn.tell_at = now + WORDS_QUIET_S
            if not turn.answered:
                state.tell(CallerWords(turn.item_id, turn.words))
        late = state.response is None and state.caller is not None and state.caller.answered
        if words.finished or late:
            self.tell_caller_words()

    def tell_caller_words(self) -> None:
        """What is written down of the caller's turn so far."""
        turn = self._state.caller
        if turn is not None and turn.words != turn.told:
            turn.told = turn.words
            self._state.tell(Transcript(Speaker.CALLER, turn.item_id, turn.words, turn.after))

    def _close_caller_turn(self) -> None:
        """What the caller says from now on is another turn, if this one has been answered."""
        turn = self._state.caller
        if turn is not None and turn.answered:
            self.tell_caller_words()
            self._state.caller = None

    def _on_agent_words(self, words: Words) -> None:
        """They belong to the answer under way; without one they are late."""
        response = self._state.response or self._state.last
        if response is not None and words.text:
            response.words = joined(response.words, words.text)

    def _tell_agent_words(self, response: Response) -> None:
        if response.words != response.told and response.sounded:
            response.told = response.words
            self._state.tell(Transcript(Speaker.AGENT, response.item_id, response.words))

    # --- functions ----------------------------------------------------------------------------

    def _on_tool_call(self, tool_call: ToolCall) -> None:
        """The model waits for the results: this answer is over, the next comes with them."""
        state = self._state
        state.handle = ""
        response = self._begun()
        for call in tool_call.function_calls or ():
            told = state.calls.called(call, response.id)
            if told is not None:
                response.called = True
                state.tell(told)
        self.end_response("completed")
        state.tell_usage()
