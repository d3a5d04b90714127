"""Hearing, thinking and speaking as one `ProviderProtocol`; no I/O, no clock.

Three channels: `stt`, for the whole call a WebSocket or the local speech process; `chat`, an HTTP
request for each answer; `tts`, the local speech process. Speech begins with an answer's first
sentence. Closing `chat` is the barge-in, and the model's memory ends at what was heard. Why so:
docs/adr/0018-pipeline.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.audio.formats import L16_8K, L16_16K
from bridge.errors import LocalProtocolError
from bridge.providers.actions import Action, Open, Send
from bridge.providers.base import (
    NO_PIECES,
    CallerStarted,
    CallerStopped,
    CallerWords,
    Capabilities,
    Heard,
    Pieces,
    ProviderEvent,
    ProviderFailure,
    SessionReady,
    Transcript,
)
from bridge.providers.conversation import Brief, Conversation, Opening, Speaker
from bridge.providers.pipeline.config import LOCAL_HEARING, PipelineConfig
from bridge.providers.pipeline.deepgram import SEVERAL, Flux, Nova, is_flux
from bridge.providers.pipeline.hearing import Began, Hearing, SoFar, TurnOver
from bridge.providers.pipeline.local_hearing import LocalHearing
from bridge.providers.pipeline.replies import CHAT, Replies, Wish
from bridge.providers.pipeline.speaking import TTS
from bridge.short_queue import ShortQueue
from bridge.wire.channel import ChannelEnd
from bridge.wire.uplink_codec import AudioShape

STT = "stt"
MAX_UNSENT = 1024
BILL_EVERY_S = 30.0
"""Of hearing: a budget must not learn of an hour at its end."""
_NOISE = "[The caller made a sound but said nothing. Go on where you were interrupted.]"
KEEP_ALIVE_S = 4.0
SPEECH_HOLD_S = 15.0
"""An answer waits at most so long for a caller who does not stop speaking."""
_AUDIO_SHAPE = AudioShape(STT, b"", b"", base64=False)


class Pipeline:
    """One conversation."""

    def __init__(self, config: PipelineConfig) -> None:
        self.dropped = 0
        """Messages that nobody could take, nearly all of them caller's audio."""
        self._config = config
        self._events: ShortQueue[ProviderEvent] = ShortQueue()
        self._out: list[Action] = []
        self._talk: Conversation | None = None
        self._replies: Replies | None = None
        self._hearing = hearing(config, Brief())
        self._open: set[str] = set()
        self._over = False
        self._turns = self._begun_before = 0
        self._noise_cut = False
        """An answer was cut since the caller began to speak."""
        self._unbilled_s = 0.0
        self._heard = self._heard_lately = False
        self._idle_at: float | None = None

    # --- what it is ---------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """The service that hears tells the turns."""
        return Capabilities(self._hearing.audio_in, (L16_8K, L16_16K))

    def successor(self) -> Pipeline:
        """No session limit is known; the next one is told the history."""
        return Pipeline(self._config)

    # --- life ---------------------------------------------------------------------------------

    def start(self, conversation: Conversation, now: float) -> None:
        """Open hearing and voice.

        Raises `LocalProtocolError` when called twice or with a format it does not speak.
        """
        if self._talk is not None:
            raise LocalProtocolError("start was called before")
        can = self.capabilities
        if conversation.audio_in not in can.audio_in or conversation.audio_out not in can.audio_out:
            raise LocalProtocolError(f"{conversation.audio_in} or {conversation.audio_out}")
        self._talk, brief = conversation, conversation.brief
        replies = Replies(self._config, conversation, self._events, self._out)
        self._replies = replies
        self._hearing = hearing(self._config, brief)
        self._out.append(Open(STT, self._hearing.target(conversation.audio_in)))
        replies.speaking.open()
        if conversation.opening is Opening.GREET and brief.greeting:
            replies.wish(Wish(brief.greeting, conversation.opening_token), now)
        elif conversation.opening is Opening.ANSWER:
            replies.wish(Wish(), now)

    def stop(self, now: float) -> None:
        """Hearing ends its stream; what was used is billed."""
        farewell = self._hearing.farewell()
        if farewell and STT in self._open:
            self._out.append(Send(STT, farewell))
        self._leave()

    def _leave(self) -> None:
        if self._replies is not None:
            self._replies.leave()
        self._bill_hearing()
        self._over = True

    # --- messages -----------------------------------------------------------------------------

    def receive_open(self, channel: str, now: float) -> None:
        """Ready when it can hear and speak."""
        self._open.add(channel)
        if channel == STT:
            self._idle_at = now + KEEP_ALIVE_S
        elif channel == TTS:
            self._said.speaking.opened(now)
        if not self._said.ready and {STT, TTS} <= self._open:
            self._said.ready = True
            talk = self._started()
            self._events.append(SessionReady("", talk.audio_in, talk.audio_out))
            self._said.go_on(now)

    def receive_message(self, channel: str, data: bytes, now: float) -> None:
        """Take one whole message. Never raises: bad input becomes an event."""
        if self._over:
            return
        if channel == STT:
            self._on_hearing(data, now)
        elif channel == CHAT:
            self._said.on_chat(data, now)
        else:
            self._fail(self._said.on_voice(data, now))

    def receive_audio(self, channel: str, messages: Sequence[bytes], now: float) -> Pieces:
        """Nothing: each voice sends in a way of its own."""
        return NO_PIECES

    def receive_end(self, channel: str, end: ChannelEnd, now: float) -> None:
        """A stage ended: hearing ends the session, the model an answer, the voice comes back."""
        self._open.discard(channel)
        if self._over:
            return
        if channel == CHAT:
            self._said.on_chat_end(end, now)
        elif channel == TTS:
            self._fail(self._said.speaking.lost(end, now))
        else:
            self._fail(self._hearing.end_meaning(end))

    def next_event(self) -> ProviderEvent | None:
        """Take the next event, or None."""
        return self._events.popleft() if self._events else None

    def actions(self) -> list[Action]:
        """Take everything to be done now, in order."""
        out = self._out[:]
        self._out.clear()
        return out

    # --- commands -----------------------------------------------------------------------------

    @property
    def audio_shape(self) -> AudioShape | None:
        """As it is, to whoever hears, while the stream is open."""
        return _AUDIO_SHAPE if STT in self._open and not self._over and not self._out else None

    def audio_sent(self, size: int) -> None:
        """Hearing is billed by the second."""
        self._heard = self._heard_lately = True
        audio_in = self._started().audio_in
        self._unbilled_s += size / (audio_in.rate_hz * audio_in.bytes_per_sample)

    def send_audio(self, data: bytes) -> None:
        """Caller audio. A message without bytes would end the stream."""
        if not data or self._over or STT not in self._open or len(self._out) >= MAX_UNSENT:
            self.dropped += 1
            return
        self.audio_sent(len(data))
        self._out.append(Send(STT, data, binary=True))

    def begin_turn(self, now: float) -> None:
        """The service finds turns itself."""

    def end_turn(self, now: float, *, answer: bool = True) -> None:
        """The service finds turns itself."""

    def send_text(self, text: str, now: float) -> None:
        """A turn of the caller in words."""
        self._said.memory.caller(text)
        self._said.wish(Wish(), now)

    def inform(self, text: str, *, respond: bool, now: float) -> None:
        """Something nobody said, as a system message."""
        self._said.memory.told(text)
        if respond:
            self._said.wish(Wish(), now)

    def say(self, text: str, token: str, now: float) -> None:
        """Straight to the voice, behind what is being said."""
        self._said.wish(Wish(text, token), now)

    def answer(self, now: float) -> None:
        """Ask the model; the results of functions that run bring that about."""
        pending = self._hearing.take_pending()
        self._said.held_until = None
        if pending:
            self._caller_said(pending)
        if pending or not self._said.memory.running:
            self._said.wish(Wish(), now)

    def send_function_result(self, call_id: str, output: str, *, failed: bool, now: float) -> None:
        """With the last result the model goes on, once. That it failed is for the output to say."""
        memory = self._said.memory
        memory.result(call_id, output)
        if not memory.running:
            self._said.wish(Wish(owed=True), now)

    def cut(self, heard: Sequence[Heard], now: float) -> None:
        """Close the model, silence the voice, withdraw what waits; remember what was heard."""
        self._noise_cut = self._said.cut(dict(heard)) or self._noise_cut

    def disregard(self, turn_id: str, unheard: Sequence[str], *, words: bool, now: float) -> None:
        """Withdraw the answer to it; what is being said goes on. Words stay in the memory."""
        if turn_id == self._turn_id:
            self._said.unwish(self._begun_before)
            self._said.go_on(now)

    def probe(self, now: float) -> None:
        """`notices_within_s` is None."""

    # --- time ---------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When `handle_timeout` wants to be called."""
        if self._over:
            return None
        idle_at = self._idle_at if STT in self._open else None
        said = self._replies
        times = (idle_at, said.speaking.next_deadline(), said.held_until) if said else (idle_at,)
        return min((at for at in times if at is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Keep hearing awake; miss a voice that does not come."""
        if self._over:
            return
        if STT in self._open and self._idle_at is not None and now >= self._idle_at:
            self._idle_at = now + KEEP_ALIVE_S
            if not self._heard_lately:
                audio_in = self._started().audio_in
                alive = self._hearing.keep_alive(audio_in, heard=self._heard)
                if alive is not None:
                    self._out.append(Send(STT, *alive))
            self._heard_lately = False
            if self._unbilled_s >= BILL_EVERY_S:
                self._bill_hearing()
        if self._said.held_until is not None and now >= self._said.held_until:
            self._said.release(now)
        self._fail(self._said.speaking.handle_timeout(now))

    # --- hearing ------------------------------------------------------------------------------

    def _on_hearing(self, data: bytes, now: float) -> None:
        for heard in self._hearing.receive(data):
            if isinstance(heard, Began):
                self._turns += 1
                self._noise_cut = False
                self._said.hold(now + SPEECH_HOLD_S)
                self._events.append(CallerStarted(self._turn_id))
            elif isinstance(heard, SoFar):
                self._events.append(CallerWords(self._turn_id, heard.text))
            elif isinstance(heard, TurnOver):
                self._turn_over(heard.text, now)
            else:
                self._fail(heard)

    @property
    def _turn_id(self) -> str:
        return f"c{self._turns}"

    def _turn_over(self, text: str, now: float) -> None:
        """Words are answered. A sound that cut the agent off is no reason to stay silent."""
        self._begun_before, self._said.held_until = self._said.begun, None
        wanted = bool(text) or self._noise_cut
        self._events.append(CallerStopped(self._turn_id, expects_answer=wanted))
        if text:
            self._caller_said(text)
        elif self._noise_cut:
            self._said.memory.told(_NOISE)
        self._noise_cut = False
        if wanted:
            self._said.withdraw_unheard()
            self._said.wish(Wish(), now)
        self._said.go_on(now)

    def _caller_said(self, text: str) -> None:
        self._said.memory.caller(text)
        self._events.append(Transcript(Speaker.CALLER, self._turn_id, text))

    # --- ends and bills -----------------------------------------------------------------------

    def _fail(self, failure: ProviderFailure | None) -> None:
        if failure is not None:
            if failure.fatal:
                self._leave()
            self._events.append(failure)

    def _bill_hearing(self) -> None:
        seconds, self._unbilled_s = self._unbilled_s, 0.0
        usage = self._hearing.bill(seconds) if seconds else None
        if usage is not None:
            self._events.append(usage)

    @property
    def _said(self) -> Replies:
        if self._replies is None:
            raise LocalProtocolError("the session was not started")
        return self._replies

    def _started(self) -> Conversation:
        if self._talk is None:
            raise LocalProtocolError("the session was not started")
        return self._talk


def hearing(config: PipelineConfig, brief: Brief) -> Hearing:
    """A fresh one of the configured kind, for the secretary's language or several."""
    language = brief.heard_language
    if config.stt in LOCAL_HEARING:
        return LocalHearing(config, language)
    if brief.languages:
        language = SEVERAL
    return Flux(config, language) if is_flux(config) else Nova(config, language)
