"""OpenAI Realtime as a `ProviderProtocol`: messages in, events and messages out; no I/O, no clock.

Also for the servers that speak alike: Azure, gateways, self-hosted ones. The greeting is asked
for as soon as the server has taken the session's settings. Facts about the protocol and what
follows from them are in docs/adr/0007-openai-realtime.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import pybase64

from bridge.errors import RemoteProtocolError
from bridge.providers.actions import Action, Open, Send
from bridge.providers.base import NO_PIECES, Capabilities, GoingAway, Heard, Pieces
from bridge.providers.begun import Begun
from bridge.providers.conversation import Conversation, Opening
from bridge.providers.openai import errors
from bridge.providers.openai.config import (
    OpenAIRealtimeConfig,
    endpoint,
    secret_of,
    secret_request,
)
from bridge.providers.openai.inbox import TOKEN, Inbox
from bridge.providers.openai.responses import ANSWER, Request, ResponseState, say_exactly
from bridge.providers.openai.session import (
    audible,
    capabilities,
    empty_update,
    history_items,
    message_item,
    session_settings,
    system_item,
)
from bridge.providers.openai.state import SessionState, new_state
from bridge.wire.channel import ChannelEnd
from bridge.wire.uplink_codec import AudioShape

CHANNEL, SECRET = "realtime", "secret"
SETUP_LIMIT_S = 10.0
"""From the open socket to `session.updated`."""
RESPONSE_LIMIT_S = 15.0
"""From `response.create` to `response.created`."""
STALL_LIMIT_S = 20.0
"""Longest silence of the server in the middle of a response."""
NO_ITEM = "item_of_nobody"
MAX_UNSENT = 1024
"""Messages waiting for the host, or for the socket to open; what is more is dropped and counted."""
MIN_COMMIT_MS = 100
"""The server refuses to commit less audio than this."""

_APPEND_HEAD = b'{"type":"input_audio_buffer.append","audio":"'
_APPEND_TAIL = b'"}'
_AUDIO_SHAPE = AudioShape(CHANNEL, _APPEND_HEAD, _APPEND_TAIL, base64=True)
_SETUP = ("session_setup_timeout", SETUP_LIMIT_S)
_RESPONSE = ("response_timeout", RESPONSE_LIMIT_S)
_STALL = ("response_stalled", STALL_LIMIT_S)


class OpenAIRealtime(Begun[SessionState, Inbox]):
    """One conversation with one WebSocket session of the service."""

    def __init__(self, config: OpenAIRealtimeConfig) -> None:
        super().__init__()
        self._config = config
        self._capabilities = capabilities(config)
        self._early: list[Action] = []
        """Messages that wait for the socket to be open."""
        self._listens = False
        """The socket is open and nothing has failed: the caller's audio has somewhere to go."""
        self._sequence = 0
        self._uncommitted_bytes = 0
        self._has_secret = False
        self._going_away_told = False
        self._owed_since = 0.0

    # --- what it is ---------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """They depend on who finds the caller's turns."""
        return self._capabilities

    def successor(self) -> OpenAIRealtime:
        """A session cannot be resumed: the next one is told the history."""
        return OpenAIRealtime(self._config)

    # --- life ---------------------------------------------------------------------------------

    def start(self, conversation: Conversation, now: float) -> None:
        """Open the WebSocket; configure the session, tell it the history, ask for the opening.

        Raises `LocalProtocolError` when called twice or with a format the service does not speak.
        """
        self._require_new()
        settings = session_settings(self._config, conversation)
        state = new_state(self._config, conversation, settings, now)
        self._begin(state, Inbox(state))
        if self._config.auth_style == "client_secret":
            self._out.append(Open(SECRET, secret_request(self._config)))
        else:
            self._out.append(Open(CHANNEL, endpoint(self._config)))
        self._send_settings(state)
        for number, entry in enumerate(conversation.history):
            for item in history_items(entry, number, self._config.api_shape):
                self._send_item(item)
        if conversation.opening is Opening.GREET and conversation.brief.greeting:
            self.say(conversation.brief.greeting, conversation.opening_token, now)
        elif conversation.opening is Opening.ANSWER:
            self.answer(now)

    def stop(self, now: float) -> None:
        """Nothing is left to say: the service bills each response at its end."""
        self._listens = False

    # --- messages -----------------------------------------------------------------------------

    def receive_open(self, channel: str, now: float) -> None:
        """The socket is open: what was said meanwhile goes."""
        if channel != CHANNEL:
            return
        self.state.open = self._listens = True
        self._out += self._early
        self._early = []
        self._owed_since = now

    def receive_message(self, channel: str, data: bytes, now: float) -> None:
        """Take one whole message. Never raises: bad input becomes a `ProviderFailure` event."""
        state, inbox = self._started()
        if state.failed:
            return
        if channel == SECRET:
            self._take_secret(data)
            return
        inbox.receive(data, now)
        self._forget_unwanted(state)
        if state.requests.state is ResponseState.ACTIVE:
            self._owed_since = now
        elif state.requests.pending:
            self._send_request(now)
        if state.update_due:
            self._send_settings(state)
        self._listens = not state.failed

    def receive_audio(self, channel: str, messages: Sequence[bytes], now: float) -> Pieces:
        """The same for what is nothing but more of the response under way: nothing else follows."""
        state, inbox = self._started()
        active = state.requests.state is ResponseState.ACTIVE
        if channel != CHANNEL or not active or state.failed or state.events:
            return NO_PIECES
        pieces = inbox.receive_audio(messages)
        if pieces.taken:
            self._owed_since = now
        return pieces

    def _take_secret(self, data: bytes) -> None:
        try:
            self._out.append(Open(CHANNEL, endpoint(self._config, secret_of(data))))
            self._has_secret = True
        except RemoteProtocolError as error:
            self.state.tell(errors.protocol_failure("no_client_secret", str(error), fatal=True))

    def receive_end(self, channel: str, end: ChannelEnd, now: float) -> None:
        """The socket is closed or was never open: the reason becomes a `ProviderFailure`."""
        if channel == SECRET and self._has_secret:
            return
        self.state.tell(errors.channel_failure(end))
        self._listens = False

    # --- commands -----------------------------------------------------------------------------

    @property
    def audio_shape(self) -> AudioShape | None:
        """An `input_audio_buffer.append` each, while the session takes it."""
        return _AUDIO_SHAPE if self._listens and not self._out else None

    def audio_sent(self, size: int) -> None:
        """It waits in the server's buffer."""
        self._uncommitted_bytes += size

    def send_audio(self, data: bytes) -> None:
        """Caller audio in the input format; dropped and counted when the session cannot take it."""
        if not self._listens or len(self._out) >= MAX_UNSENT:
            self.dropped += 1
            return
        if data:
            self._uncommitted_bytes += len(data)
            append = b"".join((_APPEND_HEAD, pybase64.b64encode(data), _APPEND_TAIL))
            self._out.append(Send(CHANNEL, append))

    def begin_turn(self, now: float) -> None:
        """The audio says so itself: it is in the server's buffer until `end_turn` commits it."""

    def end_turn(self, now: float, *, answer: bool = True) -> None:
        """The caller's audio so far becomes a turn, which is to be answered, or written down."""
        audio_in = self.state.conversation.audio_in
        if audio_in.ms_for_bytes(self._uncommitted_bytes) >= MIN_COMMIT_MS:
            self._send("input_audio_buffer.commit")
            self._uncommitted_bytes = 0
            self.state.requests.conversation_changed()
        if answer:
            self._request(ANSWER, now)

    def send_text(self, text: str, now: float) -> None:
        """A text turn of the caller; the answer waits for a response that is under way."""
        self._send_item(message_item("user", "input_text", text))
        self._request(ANSWER, now)

    def inform(self, text: str, *, respond: bool, now: float) -> None:
        """Something nobody said, as a system message."""
        self._send_item(system_item(text))
        if respond:
            self._request(ANSWER, now)

    def say(self, text: str, token: str, now: float) -> None:
        """Ask the agent to say this, word for word, as soon as no response is under way."""
        self._request(say_exactly(text, token), now)

    def answer(self, now: float) -> None:
        """Answer what the conversation holds; results of functions that run bring that about.

        A model that wrote its last answer is asked to speak.
        """
        state = self.state
        if state.calls.open:
            return
        spoken = audible(self._config.api_shape) if state.wrote else {}
        self._request(Request(spoken) if spoken else ANSWER, now)

    def send_function_result(self, call_id: str, output: str, *, failed: bool, now: float) -> None:
        """Answer a function call. With the last result the model goes on, once.

        The result of a call that an earlier session asked for goes in as a system message. That
        a function failed is for its output to say: the protocol has no word for it.
        """
        state = self.state
        if state.calls.answered(call_id):
            self._send_item({"type": "function_call_output", "call_id": call_id, "output": output})
        else:
            self._send_item(system_item(f"Result of a function called earlier: {output}"))
        if not state.calls.open:
            self._request(ANSWER, now)

    def cut(self, heard: Sequence[Heard], now: float) -> None:
        """Stop the answer that is made or asked for, and words not asked for yet; cut the items.

        What the server cancelled by itself is not cancelled again. The server refuses a cut past
        the audio it made, and any cut at 0 ms: such an item is deleted.
        """
        state = self.state
        requests = state.requests
        requests.withdraw_urgent()
        if requests.state is ResponseState.ACTIVE and state.cancelled_id != requests.response_id:
            state.cancelled_id = requests.response_id
            self._send("response.cancel", response_id=requests.response_id)
        elif requests.state is ResponseState.REQUESTED and not state.cancel_when_created:
            state.cancel_when_created = True
            self._send("response.cancel")
        requests.cancelled()
        for item_id, heard_ms in heard:
            self._cut_item(item_id, heard_ms)

    def disregard(self, turn_id: str, unheard: Sequence[str], *, words: bool, now: float) -> None:
        """Cancel what the server answers to it, now or as soon as it begins; a response under way
        before goes on. What has no words is deleted, for the model would hear a turn of noise."""
        state = self.state
        state.disregarded_turn, state.forget_turn = turn_id, not words
        requests = state.requests
        if requests.state is ResponseState.ACTIVE and state.answering_turn == turn_id != "":
            state.unwanted(requests.response_id or "")
            state.cancel_due = True
        for item_id in unheard:
            self._send("conversation.item.delete", item_id=item_id)
        self._forget_unwanted(state)

    def _forget_unwanted(self, state: SessionState) -> None:
        if state.cancel_due:
            state.cancel_due = False
            self._send("response.cancel", response_id=state.cancelled_id)
        if state.forget_turn and state.disregarded_turn == state.committed_turn != "":
            state.forget_turn = False
            self._send("conversation.item.delete", item_id=state.committed_turn)

    def probe(self, now: float) -> None:
        """Have the server send any message at once: an update of nothing is answered with one.

        In the middle of a turn of the caller's even that might disturb the turn detection; there
        an item is asked for that does not exist.
        """
        state = self.state
        if not state.ready:
            return
        if state.caller_speaks:
            self._send("conversation.item.retrieve", item_id=NO_ITEM)
        else:
            self._send("session.update", session=empty_update(self._config.api_shape))

    # --- time ---------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called."""
        if self._begun is None:
            return None
        state, _ = self._begun
        if state.failed or not state.open:
            return None
        deadline = math.inf if self._going_away_told else state.going_away_at
        owed = self._owed(state)
        if owed is not None:
            deadline = min(deadline, self._owed_since + owed[1])
        hold_until = state.requests.hold_until
        if hold_until is not None and state.ready:
            deadline = min(deadline, hold_until)
        return None if deadline == math.inf else deadline

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
        state = self.state
        if state.failed or not state.open:
            return
        if now >= state.going_away_at and not self._going_away_told:
            self._going_away_told = True
            state.tell(GoingAway(in_s=max(0.0, state.limit_at - now)))
        state.requests.release(now)
        self._send_request(now)
        owed = self._owed(state)
        if owed is not None and now >= self._owed_since + owed[1]:
            state.tell(errors.silence_failure(*owed))
            self._listens = False

    def _owed(self, state: SessionState) -> tuple[str, float] | None:
        """What the server owes us, and how long it may take."""
        if not state.ready:
            return _SETUP
        response = state.requests.state  # compared, not looked up: asked after each message
        if response is ResponseState.ACTIVE:
            return _STALL
        return _RESPONSE if response is ResponseState.REQUESTED else None

    # --- sending ------------------------------------------------------------------------------

    def _send(self, kind: str, **fields: Any) -> str:
        """Queue a message; its event id begins with its type, so errors can be told apart."""
        self._sequence += 1
        event_id = f"{kind}-{self._sequence}"
        out = self._out if self.state.open else self._early
        if len(out) >= MAX_UNSENT:
            self.dropped += 1
        elif not self.state.failed:
            message = {"type": kind, "event_id": event_id, **fields}
            out.append(Send(CHANNEL, msgspec.json.encode(message)))
        return event_id

    def _send_settings(self, state: SessionState) -> None:
        state.update_due = False
        self._send("session.update", session=state.settings)

    def _send_item(self, item: dict[str, Any]) -> None:
        item_id = f"item_bridge_{self._sequence + 1}"
        self.state.created_item(item_id)
        self._send("conversation.item.create", item={"id": item_id, **item})

    def _cut_item(self, item_id: str, heard_ms: int) -> None:
        index, audio_end_ms = self.state.generated.place(item_id, heard_ms)
        if audio_end_ms <= 0:
            self._send("conversation.item.delete", item_id=item_id)
            return
        self._send(
            "conversation.item.truncate",
            item_id=item_id,
            content_index=index,
            audio_end_ms=audio_end_ms,
        )

    def _request(self, request: Request, now: float) -> None:
        if not self.state.failed:
            self.state.requests.add(request)
            self._send_request(now)

    def _send_request(self, now: float) -> None:
        state = self.state
        request = state.requests.take() if state.ready and not state.failed else None
        if request is None:
            return
        self._owed_since = now
        response = dict(request.overrides)
        if request.token and state.takes_metadata:
            response["metadata"] = {TOKEN: request.token}
        fields = {"response": response} if response else {}
        state.create_id = self._send("response.create", **fields)
