"""OpenAI Realtime as a `ProviderProtocol`: messages in, typed events out; no socket, no clock.

Also for the servers that speak alike: Azure, gateways, self-hosted ones. The greeting is asked
for as soon as the server has taken the session's settings. Facts about the protocol and what
follows from them are in docs/adr/0007-openai-realtime.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import pybase64

from bridge.audio.formats import AudioFormat
from bridge.errors import LocalProtocolError
from bridge.providers.base import (
    Capabilities,
    ConversationOptions,
    Endpoint,
    GoingAway,
    ProviderEvent,
)
from bridge.providers.openai import errors
from bridge.providers.openai.config import OpenAIRealtimeConfig, endpoint
from bridge.providers.openai.inbox import Inbox
from bridge.providers.openai.responses import ANSWER, ResponseState
from bridge.providers.openai.session import (
    FORMATS,
    empty_update,
    history_item,
    message_item,
    session_settings,
)
from bridge.providers.openai.state import SessionState, new_state

SETUP_LIMIT_S = 10.0
"""From the open socket to `session.updated`."""
RESPONSE_LIMIT_S = 15.0
"""From `response.create` to `response.created`."""
STALL_LIMIT_S = 20.0
"""Longest silence of the server in the middle of a response."""
NO_ITEM = "item_of_nobody"
MAX_UNSENT = 1024
"""Messages waiting for the link; audio beyond it is dropped and counted."""
MAX_EARLY = 32
"""Commands that wait for the session to be started."""
MIN_COMMIT_MS = 100
"""The server refuses to commit less audio than this."""

_APPEND_HEAD = b'{"type":"input_audio_buffer.append","audio":"'
_APPEND_TAIL = b'"}'
_SETUP = ("session_setup_timeout", SETUP_LIMIT_S)
_OWED_BY_STATE = {
    ResponseState.REQUESTED: ("response_timeout", RESPONSE_LIMIT_S),
    ResponseState.ACTIVE: ("response_stalled", STALL_LIMIT_S),
}
_SAY = "Say exactly the following to the caller, word for word, and nothing else:\n\n"


class OpenAIRealtime:
    """One conversation with one WebSocket session of the service."""

    def __init__(self, config: OpenAIRealtimeConfig) -> None:
        self.dropped_audio = 0
        """Caller's audio messages that nobody could take."""
        self._config = config
        self._state: SessionState | None = None
        self._inbox: Inbox | None = None
        self._early_failure: ProviderEvent | None = None
        self._early: list[Callable[[], None]] = []
        self._out: list[bytes] = []
        self._sequence = 0
        self._uncommitted_bytes = 0
        self._going_away_at = 0.0
        self._going_away_told = False
        self._owed_since: float | None = None

    # --- what it is ---------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """G.711 passes untouched; the server finds turns and cancels its own answers."""
        return Capabilities(
            input_formats=FORMATS,
            output_formats=FORMATS,
            truncate=True,
            cancels_on_speech=True,
            session_limit_s=self._config.session_limit_s,
        )

    @property
    def state(self) -> SessionState | None:
        """The session's state and counters, for telemetry; None before `start`."""
        return self._state

    def endpoint(self) -> Endpoint:
        """Where the link shall connect."""
        return endpoint(self._config)

    # --- messages -----------------------------------------------------------------------------

    def start(self, options: ConversationOptions, now: float) -> None:
        """Configure the session, replay its history, ask for the greeting.

        Commands given before are carried out after that.

        Raises `LocalProtocolError` when called twice or with a format the service does not speak.
        """
        if self._state is not None:
            raise LocalProtocolError("start was called before")
        settings = session_settings(self._config, options)
        self._state = new_state(self._config, options)
        self._inbox = Inbox(self._state)
        self._going_away_at = now + self._config.session_limit_s - self._config.going_away_s
        self._owed_since = now
        self._send("session.update", session=settings)
        for speaker, text in options.history:
            self._send_item(history_item(speaker, text, self._config.api_shape))
        if options.greeting:
            self.say(options.greeting)
        early, self._early = self._early, []
        for command in early:
            command()

    def receive_message(self, data: bytes, now: float) -> None:
        """Take one whole message. Never raises: bad input becomes a `ProviderFailure` event."""
        state, inbox = self._state, self._inbox
        if state is None or inbox is None or state.failed:
            return
        inbox.receive(data, now)
        if state.requests.state is ResponseState.ACTIVE:
            self._owed_since = now
        elif state.requests.pending:
            self._send_request()

    def receive_close(self, code: int, reason: str) -> None:
        """The peer closed the socket: the reason becomes a `ProviderFailure`."""
        failure = errors.close_failure(code, reason)
        if self._state is None:
            self._early_failure = failure
        else:
            self._state.tell(failure)

    def next_event(self) -> ProviderEvent | None:
        """Take the next event, or None."""
        if self._state is not None and self._state.events:
            return self._state.events.popleft()
        event, self._early_failure = self._early_failure, None
        return event

    def messages_to_send(self) -> list[bytes]:
        """Take all text messages to be sent now, in order."""
        out, self._out = self._out, []
        return out

    # --- commands -----------------------------------------------------------------------------

    def send_audio(self, data: bytes) -> None:
        """Caller audio in the input format; dropped and counted when the session cannot take it."""
        if self._state is None or self._state.failed or len(self._out) >= MAX_UNSENT:
            self.dropped_audio += 1
            return
        self._uncommitted_bytes += len(data)
        self._out.append(_APPEND_HEAD + pybase64.b64encode(data) + _APPEND_TAIL)

    def send_text(self, text: str) -> None:
        """A text turn of the caller; the answer waits for a response that is under way."""
        if self._kept(lambda: self.send_text(text)):
            return
        self._send_item(message_item("user", "input_text", text))
        self._request(ANSWER)

    def say(self, text: str) -> None:
        """Ask the agent to say this, word for word, when no response is under way."""
        if self._kept(lambda: self.say(text)):
            return
        self._request({"instructions": _SAY + text, "tool_choice": "none"})

    def send_function_result(self, call_id: str, output: str) -> None:
        """Answer a function call.

        The result of a call that an earlier session asked for goes in as a system message.
        """
        if self._kept(lambda: self.send_function_result(call_id, output)):
            return
        state = self._started()
        if call_id in state.open_calls:
            state.open_calls.discard(call_id)
            self._send_item({"type": "function_call_output", "call_id": call_id, "output": output})
        else:
            text = f"Result of a function called earlier: {output}"
            self._send_item(message_item("system", "input_text", text))
        if state.answer_after_calls and not state.open_calls:
            self.request_response()

    def request_response(self) -> None:
        """Ask for one answer, after the results of all open function calls.

        Without turn detection the caller's audio so far becomes a turn first.
        """
        if self._kept(self.request_response):
            return
        state = self._started()
        state.answer_after_calls = bool(state.open_calls)
        if state.open_calls:
            return
        if state.options.turn_detection.mode == "none":
            self._commit(state.options.input_format)
        self._request(ANSWER)

    def cancel_response(self) -> None:
        """Stop the answer being generated; what still arrives of it is dropped."""
        state = self._state
        if state is None:
            return
        requests = state.requests
        if requests.state is ResponseState.ACTIVE and state.cancelled_id != requests.response_id:
            state.cancelled_id = requests.response_id
            self._send("response.cancel", response_id=requests.response_id)
        elif requests.state is ResponseState.REQUESTED and not state.cancel_when_created:
            state.cancel_when_created = True
            self._send("response.cancel")

    def truncate(self, item_id: str, heard_ms: int) -> None:
        """Cut the history of `item_id` at what the caller heard; 0 removes the item.

        The server refuses a cut past the audio it made and any cut at 0 ms.
        """
        if self._state is None:
            return
        audio_end_ms = self._state.generated.clamp(item_id, heard_ms)
        if audio_end_ms <= 0:
            self._send("conversation.item.delete", item_id=item_id)
            return
        self._send(
            "conversation.item.truncate",
            item_id=item_id,
            content_index=0,
            audio_end_ms=audio_end_ms,
        )

    def ask_for_life(self) -> None:
        """Have the server send any message at once: an update of nothing is answered with one.

        In the middle of a turn of the caller's even that might disturb the turn detection; there
        an item is asked for that does not exist.
        """
        state = self._state
        if state is None:
            return
        if state.caller_speaks:
            self._send("conversation.item.retrieve", item_id=NO_ITEM)
        else:
            self._send("session.update", session=empty_update(self._config.api_shape))

    # --- time ---------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called; a time long past means at once.

        Called for every frame of the caller, hence no loops.
        """
        state = self._state
        if state is None or state.failed:
            return None
        deadline = math.inf if self._going_away_told else self._going_away_at
        owed = self._owed(state)
        if owed is not None:
            if self._owed_since is None:
                # A command has no clock: the wait it began is dated by the next call that has.
                return 0.0
            deadline = min(deadline, self._owed_since + owed[1])
        hold_until = state.requests.hold_until
        if hold_until is not None and hold_until < deadline:
            deadline = hold_until
        return None if deadline == math.inf else deadline

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
        state = self._state
        if state is None or state.failed:
            return
        if now >= self._going_away_at and not self._going_away_told:
            self._going_away_told = True
            remaining_s = self._going_away_at + self._config.going_away_s - now
            state.tell(GoingAway(in_s=max(0.0, remaining_s)))
        state.requests.release(now)
        self._send_request()
        self._check_owed(state, now)

    def _owed(self, state: SessionState) -> tuple[str, float] | None:
        """What the server owes us, and how long it may take."""
        return _OWED_BY_STATE.get(state.requests.state) if state.ready else _SETUP

    def _check_owed(self, state: SessionState, now: float) -> None:
        owed = self._owed(state)
        if owed is None:
            return
        if self._owed_since is None:
            self._owed_since = now
        elif now >= self._owed_since + owed[1]:
            state.tell(errors.silence_failure(*owed))

    # --- sending ------------------------------------------------------------------------------

    def _started(self) -> SessionState:
        if self._state is None:
            raise LocalProtocolError("the session was not started")
        return self._state

    def _kept(self, command: Callable[[], None]) -> bool:
        """True when there is no session yet and the command waits for it."""
        if self._state is not None:
            return False
        if len(self._early) >= MAX_EARLY:
            raise LocalProtocolError(f"more than {MAX_EARLY} commands before the start")
        self._early.append(command)
        return True

    def _send(self, kind: str, **fields: Any) -> str:
        """Queue a message; its event id begins with its type, so errors can be told apart."""
        self._sequence += 1
        event_id = f"{kind}-{self._sequence}"
        if not self._started().failed:
            message = {"type": kind, "event_id": event_id, **fields}
            self._out.append(msgspec.json.encode(message))
        return event_id

    def _send_item(self, item: dict[str, Any]) -> None:
        item_id = f"item_bridge_{self._sequence + 1}"
        self._started().unconfirmed.add(item_id)
        self._send("conversation.item.create", item={"id": item_id, **item})

    def _commit(self, audio_format: AudioFormat) -> None:
        if audio_format.ms_for_bytes(self._uncommitted_bytes) >= MIN_COMMIT_MS:
            self._send("input_audio_buffer.commit")
            self._uncommitted_bytes = 0

    def _request(self, request: dict[str, Any]) -> None:
        state = self._started()
        if not state.failed:
            state.requests.add(request)
            self._send_request()

    def _send_request(self) -> None:
        state = self._started()
        request = state.requests.take() if state.ready else None
        if request is None:
            return
        self._owed_since = None
        fields = {"response": request} if request else {}
        state.create_id = self._send("response.create", **fields)
