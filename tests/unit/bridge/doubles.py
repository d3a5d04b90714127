"""Doubles of a provider, its host and a session's listener.

They have every method of their interface and no other, and refuse what production refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bridge.audio.formats import PCMU_8K
from bridge.ports import SessionEnd, SetPhrase, TurnLatency, Utterance
from bridge.providers import base as p
from bridge.providers.actions import Action
from bridge.providers.conversation import Conversation
from bridge.wire.channel import ChannelEnd
from bridge.wire.uplink_codec import AudioShape

TELLS = p.Capabilities((PCMU_8K,), (PCMU_8K,), notices_within_s=0.8)
"""As OpenAI without `interrupt_response`."""


class Refused(AssertionError):
    """The session did what production would refuse."""


class StrictProvider:
    """A `ProviderProtocol` that keeps its commands; the test says what comes of it."""

    def __init__(self, capabilities: p.Capabilities = TELLS) -> None:
        self._capabilities = capabilities
        self.commands: list[tuple[Any, ...]] = []
        self.audio = bytearray()
        self.conversation: Conversation | None = None
        self.last_usage: p.Usage | None = None
        """What is told when we leave."""
        self.stopped = False
        self._ready = False
        self._items: set[str] = set()
        self._calls: set[str] = set()
        self._events: list[p.ProviderEvent] = []

    @property
    def capabilities(self) -> p.Capabilities:
        return self._capabilities

    def note(self, event: p.ProviderEvent) -> None:
        """What the service has told so far decides what may be asked of it."""
        if isinstance(event, p.SessionReady):
            self._ready = True
        elif isinstance(event, p.Audio):
            self._items.add(event.item_id)
        elif isinstance(event, p.FunctionCall):
            self._calls.add(event.call_id)

    def start(self, conversation: Conversation, now: float) -> None:
        self._require(self.conversation is None, "started twice")
        self._require(conversation.audio_in in self._capabilities.audio_in, "format in")
        self._require(conversation.audio_out in self._capabilities.audio_out, "format out")
        self.conversation = conversation

    def stop(self, now: float) -> None:
        self._running("stop")
        self.stopped = True
        if self.last_usage is not None:
            self._events.append(self.last_usage)

    def successor(self) -> p.ProviderProtocol:
        return StrictProvider(self._capabilities)

    def receive_open(self, channel: str, now: float) -> None:
        raise Refused("no host, no channels")

    def receive_message(self, channel: str, data: bytes, now: float) -> None:
        raise Refused("no host, no messages")

    def receive_audio(self, channel: str, messages: Sequence[bytes], now: float) -> p.Pieces:
        raise Refused("no host, no messages")

    def receive_end(self, channel: str, end: ChannelEnd, now: float) -> None:
        raise Refused("no host, no end")

    def next_event(self) -> p.ProviderEvent | None:
        return self._events.pop(0) if self._events else None

    def actions(self) -> list[Action]:
        return []

    audio_shape: AudioShape | None = None

    def audio_sent(self, size: int) -> None:
        raise Refused("audio goes by `send_audio`")

    def send_audio(self, data: bytes) -> None:
        self._running("audio")
        self._require(self._ready, "audio before the session is ready")
        self._require(bool(data), "empty audio")
        self.audio += data

    def begin_turn(self, now: float) -> None:
        self._require(self._capabilities.turns is p.Turns.OURS, "turns are not ours")
        self._keep("begin_turn")

    def end_turn(self, now: float, *, answer: bool = True) -> None:
        self._require(self._capabilities.turns is p.Turns.OURS, "turns are not ours")
        self._keep("end_turn" if answer else "write_turn")

    def send_text(self, text: str, now: float) -> None:
        self._keep("send_text", text)

    def inform(self, text: str, *, respond: bool, now: float) -> None:
        self._keep("inform", text, respond)

    def say(self, text: str, token: str, now: float) -> None:
        self._require(self._capabilities.speaks_text, "it cannot be told what to say")
        self._require(bool(text and token), "nothing to say")
        self._keep("say", text, token)

    def answer(self, now: float) -> None:
        self._keep("answer")

    def send_function_result(self, call_id: str, output: str, *, failed: bool, now: float) -> None:
        self._require(call_id in self._calls, f"no call {call_id!r} is open")
        self._calls.remove(call_id)
        self._keep("send_function_result", call_id, output, failed)

    def cut(self, heard: Sequence[p.Heard], now: float) -> None:
        for one in heard:
            self._require(one.item_id in self._items, f"no item {one.item_id!r}")
            self._require(one.heard_ms >= 0, "heard less than nothing")
        self._keep("cut", {one.item_id: one.heard_ms for one in heard})

    def disregard(self, turn_id: str, unheard: Sequence[str], *, words: bool, now: float) -> None:
        self._require(self._capabilities.turns is p.Turns.TOLD, "it tells no turns")
        self._require(all(one in self._items for one in unheard), f"no such items: {unheard}")
        self._keep("disregard", turn_id, list(unheard), words)

    def probe(self, now: float) -> None:
        self._require(self._capabilities.notices_within_s is not None, "it cannot be probed")
        self._keep("probe")

    def next_deadline(self) -> float | None:
        return None

    def handle_timeout(self, now: float) -> None:
        raise Refused("it has no deadline")

    def _keep(self, *command: Any) -> None:
        self._running(command[0])
        self.commands.append(command)

    def _running(self, what: str) -> None:
        self._require(self.conversation is not None, f"{what} before the start")
        self._require(not self.stopped, f"{what} after the end")

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            raise Refused(what)


class FakeHost:
    """Stands for `ProviderHost`: the test says what comes over it."""

    def __init__(
        self,
        protocol: StrictProvider,
        conversation: Conversation,
        *,
        on_events: Callable[[list[p.ProviderEvent]], None],
        connect_timeout_s: float,
        network: Any,
        clock: Callable[[], float],
        ahead: Any = None,
    ) -> None:
        self.protocol = protocol
        self.conversation = conversation
        self._ahead = ahead
        self.messages_in = 0
        self.round_trip_ms: float | None = None
        self.closed = False
        self._on_events = on_events
        self._clock = clock

    def start(self) -> None:
        self.protocol.start(self.conversation, self._clock())
        if self._ahead is not None:  # nothing of it is taken
            self._ahead.close()

    def flush(self) -> None:
        return None

    def flush_audio(self) -> None:
        return None

    def audio_way(self) -> None:
        return None

    def stop(self) -> None:
        if self.closed:
            return
        self.closed = True
        self.protocol.stop(self._clock())
        while (event := self.protocol.next_event()) is not None:
            self._on_events([event])

    def close(self) -> None:
        self.closed = True

    # --- the test's side ---

    def events(self, *events: p.ProviderEvent) -> None:
        """The provider says so, in one read; nothing is told after the end."""
        if self.closed:
            return
        for event in events:
            self.protocol.note(event)
        self.messages_in += len(events)
        fatal = [isinstance(e, p.Ended) or getattr(e, "fatal", False) for e in events]
        if any(fatal):
            self.closed = True
        self._on_events(list(events))

    def ready(self) -> None:
        """The provider took the settings."""
        self.events(p.SessionReady("s", self.conversation.audio_in, self.conversation.audio_out))


class StrictListener:
    """A `SessionListener` that keeps what it is told, and refuses anything after the end."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def _tell(self, *event: Any) -> None:
        if "ended" in self.names():
            raise Refused(f"{event[0]} after the end")
        self.events.append(event)

    def provider_ready(self) -> None:
        self._tell("provider_ready")

    def greeting_ready(self) -> None:
        self._tell("greeting_ready")

    def first_audio_sent(self) -> None:
        self._tell("first_audio_sent")

    def function_called(self, call: p.FunctionCall) -> None:
        self._tell("function_called", call)

    def function_cancelled(self, call_id: str) -> None:
        self._tell("function_cancelled", call_id)

    def uttered(self, utterance: Utterance) -> None:
        self._tell("uttered", utterance)

    def turn_answered(self, latency: TurnLatency) -> None:
        self._tell("turn_answered", latency)

    def interrupted(self, reaction_ms: float) -> None:
        self._tell("interrupted", reaction_ms)

    def resumed(self, why: str, silent_ms: float) -> None:
        self._tell("resumed", why, silent_ms)

    def used(self, usage: p.Usage) -> None:
        self._tell("used", usage)

    def answer_late(self) -> None:
        self._tell("answer_late")

    def phrase_due(self, phrase: SetPhrase) -> None:
        self._tell("phrase_due", phrase)

    def provider_trouble(self, kind: p.ErrorKind, code: str, message: str) -> None:
        self._tell("provider_trouble", kind, code, message)

    def stream_lost(self) -> None:
        self._tell("stream_lost")

    def ended(self, end: SessionEnd) -> None:
        self._tell("ended", end)

    # --- the test's side ---

    def names(self) -> list[str]:
        return [event[0] for event in self.events]

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [event[1:] for event in self.events if event[0] == name]

    @property
    def end(self) -> SessionEnd | None:
        ends = self.of("ended")
        return ends[0][0] if ends else None

    @property
    def said(self) -> list[Utterance]:
        return [event[0] for event in self.of("uttered")]

    @property
    def latencies(self) -> list[TurnLatency]:
        return [event[0] for event in self.of("turn_answered")]
