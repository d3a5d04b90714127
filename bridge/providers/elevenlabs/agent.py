"""ElevenLabs Agents as a `ProviderProtocol`: messages in, events and messages out; no I/O.

A private agent's address is signed by an HTTP request first. The agent says in its first message
which formats it speaks. It finds the caller's turns, decides what interrupts it, asks a silent
caller and may hang up, all by itself; it cannot be told what to say after its first message, nor
to stop. What follows from that is in docs/adr/0016-elevenlabs.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pybase64

from bridge.errors import LocalProtocolError, RemoteProtocolError
from bridge.providers.actions import Action, Endpoint, Open, Send
from bridge.providers.base import (
    NO_PIECES,
    Capabilities,
    Ended,
    GoingAway,
    Heard,
    Pieces,
    Turns,
    Usage,
)
from bridge.providers.begun import Begun
from bridge.providers.conversation import Conversation, Opening
from bridge.providers.elevenlabs import errors
from bridge.providers.elevenlabs.config import (
    ElevenLabsConfig,
    public_endpoint,
    signed_endpoint,
    signing_request,
)
from bridge.providers.elevenlabs.inbox import END_CALL, Inbox, SessionState
from bridge.providers.elevenlabs.initiation import (
    GO_ON,
    history_text,
    initiation,
    opening_text,
)
from bridge.providers.elevenlabs.messages import FORMATS, decode_signed_url
from bridge.wire.channel import ChannelEnd
from bridge.wire.uplink_codec import AudioShape

AGENT, SIGNING = "agent", "signing"
VENDOR, PRODUCT = "elevenlabs", "agents"
"""As in the price list."""
SETUP_LIMIT_S = 10.0
"""From the open socket to the agent's first message."""
SILENCE_LIMIT_S = 30.0
"""The service pings every few seconds: without any message for so long it is gone."""
MAX_UNSENT = 1024
"""Messages waiting for the host, or for the agent to listen; what is more is dropped and
counted."""
CAPABILITIES = Capabilities(
    audio_in=tuple(FORMATS.values()),
    audio_out=tuple(FORMATS.values()),
    turns=Turns.HIDDEN,
    interrupts=True,
    speaks_text=False,
    minds_silence=True,
    notices_within_s=None,
)

_CHUNK_HEAD = b'{"user_audio_chunk":"'
_CHUNK_TAIL = b'"}'
_AUDIO_SHAPE = AudioShape(AGENT, _CHUNK_HEAD, _CHUNK_TAIL, base64=True)


class ElevenLabsAgent(Begun[SessionState, Inbox]):
    """One conversation with one agent."""

    def __init__(self, config: ElevenLabsConfig) -> None:
        super().__init__()
        self._config = config
        self._kept: list[Action] = []
        """Messages that wait for the agent to listen."""
        self._listens = False
        self._addressed = False
        """The WebSocket was asked for."""
        self._open_at: float | None = None
        self._billed = False
        self._heard_at = 0.0
        """When the service sent anything."""
        self._going_away_told = False

    # --- what it is ---------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """The same for every agent, but for its formats, which only it can tell."""
        return CAPABILITIES

    def successor(self) -> ElevenLabsAgent:
        """A conversation cannot be resumed: the next one is told the history."""
        return ElevenLabsAgent(self._config)

    # --- life ---------------------------------------------------------------------------------

    def start(self, conversation: Conversation, now: float) -> None:
        """Have the address signed, or connect to a public agent.

        Raises `LocalProtocolError` when called twice or with a format the service does not speak.
        """
        self._require_new()
        for audio_format in (conversation.audio_in, conversation.audio_out):
            if audio_format not in CAPABILITIES.audio_in:
                raise LocalProtocolError(f"ElevenLabs does not speak {audio_format}")
        greets = conversation.opening is Opening.GREET and bool(conversation.brief.greeting)
        state = SessionState(conversation, conversation.opening_token if greets else "")
        self._begin(state, Inbox(state))
        if self._config.api_key:
            self._out.append(Open(SIGNING, signing_request(self._config)))
        else:
            self._connect(public_endpoint(self._config))
        self._tell_so_far(conversation, now)

    def _tell_so_far(self, conversation: Conversation, now: float) -> None:
        so_far = history_text(conversation.history)
        if so_far and "prompt" not in self._config.overrides:
            self.inform(so_far, respond=False, now=now)
        text = opening_text(conversation)
        if text:
            self.send_text(text, now)

    def stop(self, now: float) -> None:
        """The time is billed; the host closes the socket."""
        self._bill(now)
        self._listens = False

    # --- messages -----------------------------------------------------------------------------

    def receive_open(self, channel: str, now: float) -> None:
        """The socket is open: what the conversation shall be like goes first."""
        if channel != AGENT:
            return
        self._open_at = self._heard_at = now
        self._send_now(initiation(self._config, self.state.conversation))

    def receive_message(self, channel: str, data: bytes, now: float) -> None:
        """Take one whole message. Never raises: bad input becomes a `ProviderFailure` event."""
        state, inbox = self._started()
        if state.over:
            return
        if channel == SIGNING:
            self._take_address(data)
            self._look(state, now)
            return
        self._heard_at = now
        inbox.receive(data, now)
        for number in state.pings:
            self._send_now({"type": "pong", "event_id": number})
        state.pings.clear()
        self._look(state, now)

    def receive_audio(self, channel: str, messages: Sequence[bytes], now: float) -> Pieces:
        """The same for what is nothing but more of the answer under way."""
        state, inbox = self._started()
        if channel != AGENT or not self._listens or state.over or state.events:
            return NO_PIECES
        pieces = inbox.receive_audio(messages, now)
        if pieces.taken:
            self._heard_at = now
        return pieces

    def _look(self, state: SessionState, now: float) -> None:
        """After anything told: does it still listen, does it listen by now."""
        if state.over:
            self._end(now)
        elif state.ready and not self._listens:
            self._listens = True
            self._out += self._kept
            self._kept = []

    def receive_end(self, channel: str, end: ChannelEnd, now: float) -> None:
        """A channel ended; with 1000 on the agent's the agent has hung up."""
        state = self.state
        if state.over or (channel == SIGNING and self._addressed):
            return
        failure = errors.channel_failure(end, agent_left=state.ready)
        if failure is None:
            reason = END_CALL if state.hangs_up else end.reason
            state.tell(Ended(reason or "the agent hung up"))
        else:
            state.tell(failure)
        self._end(now)

    def _take_address(self, data: bytes) -> None:
        state = self.state
        try:
            endpoint = signed_endpoint(self._config, decode_signed_url(data))
        except RemoteProtocolError as error:
            state.tell(errors.protocol_failure("no_signed_url", str(error), fatal=True))
            return
        if endpoint is None:
            text = "the signed address leads to another host"
            state.tell(errors.protocol_failure("signed_url_elsewhere", text, fatal=True))
            return
        self._connect(endpoint)

    # --- commands -----------------------------------------------------------------------------

    @property
    def audio_shape(self) -> AudioShape | None:
        """A `user_audio_chunk` each, while the agent listens."""
        return _AUDIO_SHAPE if self._listens and not self._out else None

    def audio_sent(self, size: int) -> None:
        """The service bills time, not audio."""

    def send_audio(self, data: bytes) -> None:
        """Caller audio in the agent's format; dropped and counted when it does not listen."""
        if not self._listens or len(self._out) >= MAX_UNSENT:
            self.dropped += 1
            return
        if data:
            chunk = b"".join((_CHUNK_HEAD, pybase64.b64encode(data), _CHUNK_TAIL))
            self._out.append(Send(AGENT, chunk))

    def begin_turn(self, now: float) -> None:
        """The service finds turns itself."""

    def end_turn(self, now: float, *, answer: bool = True) -> None:
        """The service finds turns itself."""

    def send_text(self, text: str, now: float) -> None:
        """A turn of the caller in words; the agent answers it by itself."""
        self._send({"type": "user_message", "text": text})

    def inform(self, text: str, *, respond: bool, now: float) -> None:
        """Something the caller did not say; only a message of the caller's makes it speak."""
        kind = "user_message" if respond else "contextual_update"
        self._send({"type": kind, "text": text})

    def say(self, text: str, token: str, now: float) -> None:
        """Not possible: `Capabilities.speaks_text` is false."""

    def answer(self, now: float) -> None:
        """Ask for an answer: it cannot be asked for but by a turn of the caller."""
        if not self.state.open_calls:
            self.send_text(GO_ON, now)

    def send_function_result(self, call_id: str, output: str, *, failed: bool, now: float) -> None:
        """Give a result; the agent goes on by itself.

        The result of a call that an earlier session asked for goes in as a contextual update.
        """
        calls = self.state.open_calls
        if call_id in calls:
            calls.discard(call_id)
            result = {"tool_call_id": call_id, "result": output, "is_error": failed}
            self._send({"type": "client_tool_result", **result})
        else:
            text = f"Result of a function called earlier: {output}"
            self.inform(text, respond=True, now=now)

    def cut(self, heard: Sequence[Heard], now: float) -> None:
        """The service cannot be told: what still comes of this answer is dropped."""
        self.state.answers.cut()

    def disregard(self, turn_id: str, unheard: Sequence[str], *, words: bool, now: float) -> None:
        """It tells no turns, and decides itself what is one."""

    def probe(self, now: float) -> None:
        """Nothing provokes a message without another effect."""

    # --- time ---------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called."""
        if self._begun is None or self._begun[0].over or self._open_at is None:
            return None
        state = self._begun[0]
        deadline = self._silent_at(state)
        if state.answers.quiet_at is not None:
            deadline = min(deadline, state.answers.quiet_at)
        if not self._going_away_told:
            deadline = min(deadline, self._going_away_at(self._open_at))
        return deadline

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
        state, inbox = self._started()
        if state.over or self._open_at is None:
            return
        inbox.handle_timeout(now)
        if not self._going_away_told and now >= self._going_away_at(self._open_at):
            self._going_away_told = True
            limit_at = self._open_at + self._config.session_limit_s
            state.tell(GoingAway(in_s=max(0.0, limit_at - now)))
        if now >= self._silent_at(state):
            code = "service_silent" if state.ready else "session_setup_timeout"
            state.tell(errors.silence_failure(code, now - self._heard_at))
            self._end(now)

    def _silent_at(self, state: SessionState) -> float:
        return self._heard_at + (SILENCE_LIMIT_S if state.ready else SETUP_LIMIT_S)

    def _going_away_at(self, open_at: float) -> float:
        limit_s = self._config.session_limit_s
        return open_at + limit_s - min(self._config.going_away_s, limit_s / 3)

    # --- inside -------------------------------------------------------------------------------

    def _connect(self, endpoint: Endpoint) -> None:
        self._addressed = True
        self._out.append(Open(AGENT, endpoint))

    def _send(self, message: dict[str, Any]) -> None:
        """Now, or as soon as the agent listens."""
        out = self._out if self._listens else self._kept
        if self.state.over or len(out) >= MAX_UNSENT:
            self.dropped += 1
        else:
            out.append(Send(AGENT, msgspec.json.encode(message)))

    def _send_now(self, message: dict[str, Any]) -> None:
        self._out.append(Send(AGENT, msgspec.json.encode(message)))

    def _end(self, now: float) -> None:
        """The last event was told: the bill goes before it, as nothing is heard after it."""
        self._listens = False
        events = self.state.events
        last = events.pop()
        self._bill(now)
        events.append(last)

    def _bill(self, now: float) -> None:
        """By the time the connection lasted, once."""
        if self._open_at is None or self._billed:
            return
        self._billed = True
        seconds = max(0.0, now - self._open_at)
        self.state.events.append(Usage(VENDOR, PRODUCT, audio_seconds=seconds))
