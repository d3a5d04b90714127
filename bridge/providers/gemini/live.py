"""Gemini Live as a `ProviderProtocol`: messages in, events and messages out; no I/O, no clock.

The developer API and Vertex. What the protocol leaves open: docs/adr/0017-gemini-live.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import pybase64

from bridge.providers.actions import Open, Send
from bridge.providers.base import NO_PIECES, Capabilities, GoingAway, Heard, Pieces
from bridge.providers.begun import Begun
from bridge.providers.conversation import Conversation, Opening
from bridge.providers.gemini import errors
from bridge.providers.gemini.config import GeminiLiveConfig, endpoint
from bridge.providers.gemini.inbox import Inbox
from bridge.providers.gemini.models import traits_of
from bridge.providers.gemini.orders import ANSWER, SAY, Order, opening_order
from bridge.providers.gemini.setup import (
    capabilities,
    check_formats,
    client_content,
    content,
    history_content,
    setup_message,
)
from bridge.providers.gemini.state import SessionState
from bridge.short_queue import ShortQueue
from bridge.wire.channel import ChannelEnd
from bridge.wire.uplink_codec import AudioShape

CHANNEL = "live"
SETUP_LIMIT_S = 10.0
"""From the open socket to `setupComplete`."""
STALL_LIMIT_S = 20.0
"""Longest silence of the service in the middle of an answer."""
MAX_UNSENT = 1024
"""Messages waiting for the host; what is more is dropped and counted."""
MAX_ORDERS = 64
"""Texts that wait for the session, or for an answer to end."""
PREROLL_MS = 2000
"""Kept from before our ear noticed a voice, and was sure that it interrupts (`Turns.OURS`)."""

_AUDIO_HEAD = b'{"realtimeInput":{"audio":{"mimeType":"audio/pcm;rate=16000","data":"'
_AUDIO_TAIL = b'"}}}'
_AUDIO_SHAPE = AudioShape(CHANNEL, _AUDIO_HEAD, _AUDIO_TAIL, base64=True)


class GeminiLive(Begun[SessionState, Inbox]):
    """One conversation with one session of the service. `handle` resumes an earlier one."""

    def __init__(self, config: GeminiLiveConfig, handle: str = "") -> None:
        super().__init__()
        self._config = config
        self._handle = handle
        self._name_language = True
        self._traits = traits_of(config.model)
        self._capabilities = capabilities(config)
        self._orders: ShortQueue[Order] = ShortQueue()
        self._whispers: list[str] = []
        """Not to be answered, and the model takes no such words: they go with the next order."""
        self._listens = False
        """Ready, and nothing has failed: the caller's audio has somewhere to go."""
        self._automatic = config.turn_detection == "automatic"
        self._in_turn = self._answers_unasked = False
        self._preroll = bytearray()
        self._going_away_told = False
        self._owed_since = 0.0

    # --- what it is ---------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """They depend on who finds the caller's turns."""
        return self._capabilities

    def successor(self) -> GeminiLive:
        """A session that takes over: the service knows this one by its handle, which is given once.

        Without one, or when the service does not take it, the successor is told the history.
        """
        handle = ""
        if self._begun is not None and self._config.resumption:
            state = self._begun[0]
            handle, state.handle = state.handle, ""
        return GeminiLive(self._config, handle)

    # --- life ---------------------------------------------------------------------------------

    def start(self, conversation: Conversation, now: float) -> None:
        """Open the WebSocket; what follows waits for it.

        Raises `LocalProtocolError` when called twice or with a format the service does not speak.
        """
        self._require_new()
        check_formats(conversation)
        state = SessionState(self._config, conversation, now)
        self._begin(state, Inbox(state))
        self._out.append(Open(CHANNEL, endpoint(self._config)))

    def stop(self, now: float) -> None:
        """We leave; the turn under way is billed as far as it was told."""
        self._listens = False
        if self._begun is not None:
            self._begun[0].tell_usage()

    # --- messages -----------------------------------------------------------------------------

    def receive_open(self, channel: str, now: float) -> None:
        """The socket is open: the settings go first, and alone until they are taken."""
        self.state.open = True
        self._owed_since = now
        setup = setup_message(
            self._config,
            self.state.conversation,
            handle=self._handle,
            name_language=self._name_language,
        )
        self._send(setup)

    def receive_message(self, channel: str, data: bytes, now: float) -> None:
        """Take one whole message. Never raises: bad input becomes a `ProviderFailure` event."""
        state, inbox = self._started()
        if state.failed:
            return
        was_ready = state.ready
        inbox.receive(data, now)
        if state.response is not None:
            self._owed_since = now
        if state.ready and not was_ready:
            self._listens = True
            self._open_conversation(state.conversation)
        if state.calls.ready:  # the last one that ran was taken back
            self._send_results()
        if self._orders:
            self._send_orders()
        self._listens = self._listens and not state.failed

    def receive_audio(self, channel: str, messages: Sequence[bytes], now: float) -> Pieces:
        """The same for what is nothing but more of the answer under way."""
        state, inbox = self._started()
        if state.response is None or state.failed or state.events or self._orders:
            return NO_PIECES
        pieces = inbox.receive_audio(messages, state.response)
        if pieces.taken:
            self._owed_since = now
        return pieces

    def receive_end(self, channel: str, end: ChannelEnd, now: float) -> None:
        """The socket is closed or was never open: the reason becomes a `ProviderFailure`.

        What the service refuses of our first message, and we can do without, is left out.
        """
        state = self.state
        state.open = self._listens = False
        if not state.ready and self._can_do_without(end):
            self._out.append(Open(CHANNEL, endpoint(self._config)))
            return
        state.tell_usage()
        state.tell(errors.channel_failure(end))

    def _can_do_without(self, end: ChannelEnd) -> bool:
        if self._handle and errors.resumption_refused(end):
            self._handle = ""
            return True
        if self._name_language and errors.language_refused(end):
            self._name_language = False
            return True
        return False

    # --- commands -----------------------------------------------------------------------------

    @property
    def audio_shape(self) -> AudioShape | None:
        """A `realtimeInput` each, but between turns that our ear finds."""
        plain = self._listens and not self._out and (self._automatic or self._in_turn)
        return _AUDIO_SHAPE if plain else None

    def audio_sent(self, size: int) -> None:
        """The service tells what it counts."""

    def send_audio(self, data: bytes) -> None:
        """Caller audio, 16 kHz; dropped and counted when the session cannot take it.

        Where our ear finds the turns, only they are sent, each with a little of before.
        """
        if not self._listens or len(self._out) >= MAX_UNSENT:
            self.dropped += 1
        elif self._automatic or self._in_turn:
            self._send_audio(data)
        else:
            self._preroll += data
            del self._preroll[: -self._preroll_bytes]

    def begin_turn(self, now: float) -> None:
        """`activityStart`, and the sound from before our ear was sure."""
        if self._automatic or self._in_turn:
            return
        self._in_turn, self._answers_unasked = True, False
        self._send({"realtimeInput": {"activityStart": {}}})
        if self._preroll:
            self._send_audio(bytes(self._preroll))
            self._preroll.clear()

    def end_turn(self, now: float, *, answer: bool = True) -> None:
        """`activityEnd`: the model answers, wanted or not."""
        if not self._automatic and self._in_turn:
            self._in_turn, self._answers_unasked = False, not answer
            self._send({"realtimeInput": {"activityEnd": {}}})

    def send_text(self, text: str, now: float) -> None:
        """A text turn of the caller; like the caller's voice it interrupts."""
        self._order(Order(text, respond=True, urgent=True))

    def inform(self, text: str, *, respond: bool, now: float) -> None:
        """Something nobody said: there is no role for that, brackets must do."""
        self._order(Order(text, respond))

    def say(self, text: str, token: str, now: float) -> None:
        """Ask the agent to say this, word for word, as soon as no answer is being generated."""
        self._order(Order(SAY + text, respond=True, token=token))

    def answer(self, now: float) -> None:
        """Ask for an answer; results of functions that run bring one about, and so did the end of
        a turn."""
        unasked, self._answers_unasked = self._answers_unasked, False
        if not self.state.calls.open and not unasked:
            self._order(Order(ANSWER, respond=True))

    def send_function_result(self, call_id: str, output: str, *, failed: bool, now: float) -> None:
        """Answer a function call. With the last result the model goes on.

        A call the service has cancelled gets no answer; one an earlier session asked for is told
        in words.
        """
        calls = self.state.calls
        if calls.was_cancelled(call_id):
            return
        if not calls.answered(call_id, output, failed=failed):
            text = f"[Result of a function called earlier: {output}]"
            self._order(Order(text, respond=True))
            return
        if calls.ready:
            self._send_results()

    def cut(self, heard: Sequence[Heard], now: float) -> None:
        """What is still generated of the answer is dropped, with words that were not asked for yet.

        The service cannot be told to stop, nor how much was heard: it goes by its own clock.
        """
        response = self.state.response
        if response is not None:
            response.dropped = True
        self._orders = ShortQueue(order for order in self._orders if not order.token)

    def disregard(self, turn_id: str, unheard: Sequence[str], *, words: bool, now: float) -> None:
        """It tells no turns, and decides itself what is one."""

    def probe(self, now: float) -> None:
        """There is no message without effect that is answered."""

    # --- time ---------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called."""
        if self._begun is None:
            return None
        state = self._begun[0]
        if state.failed or not state.open:
            return None
        deadlines = [self._owed_until(state), self._words_at(state), self._leave_at(state)]
        deadline = min(deadlines)
        return None if deadline == math.inf else deadline

    def handle_timeout(self, now: float) -> None:
        """Time has passed."""
        state, inbox = self._started()
        if state.failed or not state.open:
            return
        if now >= self._words_at(state):
            inbox.tell_caller_words()
        if now >= self._leave_at(state):
            self._going_away_told = True
            left_s = state.began_at + self._config.session_limit_s - now
            state.tell(GoingAway(max(0.0, left_s)))
        if now >= self._owed_until(state):
            code = "response_stalled" if state.ready else "session_setup_timeout"
            state.tell_usage()
            state.tell(errors.silence_failure(code, now - self._owed_since))
            self._listens = False

    def _owed_until(self, state: SessionState) -> float:
        if not state.ready:
            return self._owed_since + SETUP_LIMIT_S
        return math.inf if state.response is None else self._owed_since + STALL_LIMIT_S

    def _words_at(self, state: SessionState) -> float:
        turn = state.caller
        return math.inf if turn is None or turn.words == turn.told else turn.tell_at

    def _leave_at(self, state: SessionState) -> float:
        config = self._config
        left_s = min(config.going_away_s, config.session_limit_s / 3)
        told = self._going_away_told
        return math.inf if told else state.began_at + config.session_limit_s - left_s

    # --- sending ------------------------------------------------------------------------------

    @property
    def _preroll_bytes(self) -> int:
        return self.state.conversation.audio_in.bytes_for_ms(PREROLL_MS)

    def _send(self, message: dict[str, Any]) -> None:
        if self.state.failed or len(self._out) >= MAX_UNSENT:
            self.dropped += 1
        else:
            self._out.append(Send(CHANNEL, msgspec.json.encode(message)))

    def _send_audio(self, data: bytes) -> None:
        self._out.append(
            Send(CHANNEL, b"".join((_AUDIO_HEAD, pybase64.b64encode(data), _AUDIO_TAIL)))
        )

    def _open_conversation(self, conversation: Conversation) -> None:
        """The history, unless the service knows it, and what is due first of all."""
        turns = [] if self._handle else [history_content(one) for one in conversation.history]
        told = not self._handle and self._traits.text_any_time
        if (first := opening_order(conversation, answer_is_told=told)) is not None:
            self._orders.appendleft(first)
        if not turns:
            return
        answer = conversation.opening is Opening.ANSWER and self._traits.text_any_time
        self._send(client_content(turns, complete=answer or not self._traits.text_any_time))
        if answer:
            self._ordered("")

    def _order(self, order: Order) -> None:
        if len(self._orders) >= MAX_ORDERS:
            self.dropped += 1
            return
        self._orders.append(order)
        self._send_orders()

    def _send_orders(self) -> None:
        """A text interrupts the model: all but the caller's own wait for the end of an answer.

        An interruption takes back the functions that run: what is only to be known waits for them.
        One is asked at a time; where several wait, the last answer is to all of them.
        """
        state = self.state
        while self._orders and state.ready and not state.failed:
            response = state.response
            generating = response is not None and not response.dropped
            urgent = any(order.urgent for order in self._orders)
            running = state.calls.open and not any(order.token for order in self._orders)
            if (generating or running) and not urgent:
                return
            self._send_order(self._orders.popleft())

    def _send_results(self) -> None:
        """The model goes on with them, and learns with them what it was to be told meanwhile."""
        waiting, self._orders = self._orders, ShortQueue()
        told, self._whispers = self._whispers, []
        for order in waiting:
            if order.token or order.urgent:
                self._orders.append(order)
            elif order.text != ANSWER:
                told.append(order.text)
        self._ordered("")
        self._send(self.state.calls.take_ready(told))

    def _send_order(self, order: Order) -> None:
        if order.respond:
            self._ordered(order.token)
        self.state.we_interrupt = self.state.turn_open
        if self._traits.text_any_time:
            self._send(client_content([content(order.text)], complete=order.respond))
        elif not order.respond:
            self._whispers = [*self._whispers, order.text][-MAX_ORDERS:]
        else:
            text, self._whispers = "\n".join([*self._whispers, order.text]), []
            self._send({"realtimeInput": {"text": text}})

    def _ordered(self, token: str) -> None:
        self.state.ordered, self.state.token, self.state.handle = True, token, ""
