"""A session with no socket: a scripted provider, a far side that keeps its frames, a clock.

The doubles have every method of their interface and no other, and refuse what production refuses.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bridge.audio.formats import PCMU_8K, AudioFormat
from bridge.audio.pacer import Pacer
from bridge.playout.base import Playout, PlayoutSinks
from bridge.playout.modes import PlayoutMode
from bridge.playout.registry import make_playout
from bridge.ports import SessionEnd, SessionListener, SetPhrase, TurnLatency, Utterance
from bridge.providers import base as p
from bridge.session.candidates import Candidate
from bridge.session.config import Phrases, SessionConfig
from bridge.session.media_plan import (
    Leg,
    MediaPath,
    MediaPlan,
    PlayoutChoice,
    choose_formats,
    provider_formats,
)
from bridge.session.session import Session
from bridge.session.states import SessionState

PHRASES = Phrases("Still there?", "Good-bye!", "Time is up.", "Connecting.", "Say it again?")
FRAME = bytes([0x55]) * 160
"""20 ms of G.711, audible."""
SILENT_FRAME = b"\xff" * 160
LOUD = struct.pack("<160h", *[8000, -8000] * 80)
"""20 ms of L16 at 8 kHz that our ear takes for a voice."""
QUIET = bytes(320)
LEG = Leg("PCMU", 8000)

TELLS = p.Capabilities((PCMU_8K,), (PCMU_8K,), notices_within_s=0.8)
"""As OpenAI without `interrupt_response`."""
HIDES = p.Capabilities(
    (PCMU_8K,),
    (PCMU_8K,),
    turns=p.Turns.HIDDEN,
    interrupts=True,
    speaks_text=False,
    minds_silence=True,
)
"""As ElevenLabs."""


class Refused(AssertionError):
    """The session did what production would refuse."""


class StrictProvider:
    """A `ProviderProtocol` that keeps its commands; the test says what comes of it."""

    def __init__(self, capabilities: p.Capabilities = TELLS) -> None:
        self._capabilities = capabilities
        self.commands: list[tuple[Any, ...]] = []
        self.audio = bytearray()
        self.conversation: p.Conversation | None = None
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

    def start(self, conversation: p.Conversation, now: float) -> None:
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

    def receive_end(self, channel: str, end: p.ChannelEnd, now: float) -> None:
        raise Refused("no host, no end")

    def next_event(self) -> p.ProviderEvent | None:
        return self._events.pop(0) if self._events else None

    def actions(self) -> list[p.Action]:
        return []

    def send_audio(self, data: bytes) -> None:
        self._running("audio")
        self._require(self._ready, "audio before the session is ready")
        self._require(bool(data), "empty audio")
        self.audio += data

    def begin_turn(self, now: float) -> None:
        self._require(self._capabilities.turns is p.Turns.OURS, "turns are not ours")
        self._keep("begin_turn")

    def end_turn(self, now: float) -> None:
        self._require(self._capabilities.turns is p.Turns.OURS, "turns are not ours")
        self._keep("end_turn")

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
        conversation: p.Conversation,
        *,
        on_events: Callable[[list[p.ProviderEvent]], None],
        connect_timeout_s: float,
        network: Any,
        clock: Callable[[], float],
    ) -> None:
        self.protocol = protocol
        self.conversation = conversation
        self.messages_in = 0
        self.round_trip_ms: float | None = None
        self.closed = False
        self._on_events = on_events
        self._clock = clock

    def start(self) -> None:
        self.protocol.start(self.conversation, self._clock())

    def flush(self) -> None:
        return None

    def flush_audio(self) -> None:
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


@dataclass
class _Later:
    """What `gevent.spawn_later` gave."""

    delay_s: float
    run: Callable[[], None]
    killed: bool = field(default=False)

    def kill(self, block: bool = True) -> None:
        self.killed = True


class Stage:
    """One session and everything around it. Time passes when the test says so."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *capabilities: p.Capabilities,
        greeting: str = "",
        **config: Any,
    ) -> None:
        self.now = 100.0
        self.told = StrictListener()
        self.hosts: list[FakeHost] = []
        self.datagrams: list[bytes] = []
        self.later: list[_Later] = []
        self.pacer = Pacer()
        monkeypatch.setattr("bridge.session.provider.ProviderHost", self._host)
        monkeypatch.setattr("bridge.session.provider.gevent.spawn_later", self._spawn_later)
        candidates = [
            Candidate(f"p{number}", "openai", lambda can=can: StrictProvider(can))
            for number, can in enumerate(capabilities or (TELLS,))
        ]
        listener: SessionListener = self.told
        self.session = Session(
            "domain",
            "call",
            SessionConfig(
                candidates,
                p.Brief(greeting=greeting),
                PHRASES,
                lambda can: provider_formats(LEG, can),
                **config,
            ),
            listener,
            pacer=self.pacer,
            clock=lambda: self.now,
        )

    def _host(
        self, protocol: StrictProvider, conversation: p.Conversation, **more: Any
    ) -> FakeHost:
        host = FakeHost(protocol, conversation, **more)
        self.hosts.append(host)
        return host

    def _spawn_later(self, delay_s: float, function: Any, *arguments: Any) -> _Later:
        later = _Later(delay_s, lambda: function(*arguments))
        self.later.append(later)
        return later

    # --- the provider ---

    @property
    def host(self) -> FakeHost:
        """The connection that was made last."""
        return self.hosts[-1]

    @property
    def commands(self) -> list[tuple[Any, ...]]:
        """What the newest provider was told, in order."""
        return self.host.protocol.commands

    def names(self) -> list[str]:
        return [command[0] for command in self.commands]

    def cuts(self) -> list[dict[str, int]]:
        return [command[1] for command in self.commands if command[0] == "cut"]

    def says(self) -> list[str]:
        return [command[1] for command in self.commands if command[0] == "say"]

    def token(self) -> str:
        """Of the last words the provider was asked to say."""
        return [command[2] for command in self.commands if command[0] == "say"][-1]

    def reconnect(self) -> FakeHost:
        """The pause before the next try is over."""
        later = self.later.pop(0)
        assert not later.killed
        later.run()
        return self.host

    def events(self, *events: p.ProviderEvent) -> None:
        """The provider says so, in one read."""
        self.host.events(*events)

    def answer(
        self,
        response: str = "r1",
        ms: int = 200,
        *,
        done: bool = True,
        token: str = "",
        frame: bytes = FRAME,
    ) -> None:
        """The provider answers with so much audio."""
        audio = p.Audio(response, f"item-{response}", frame * (ms // 20))
        self.events(p.ResponseStarted(response, token), audio)
        if done:
            self.events(p.ResponseDone(response, "completed"))

    def turn(self) -> None:
        """The caller says something."""
        self.events(p.CallerStarted(), p.CallerStopped())

    def words(self, speaker: p.Speaker, item_id: str, text: str) -> None:
        self.events(p.Transcript(speaker, item_id, text))

    def fail(
        self,
        *,
        kind: p.ErrorKind = p.ErrorKind.CONNECTION,
        retryable: bool = True,
        retry_in_s: float | None = None,
    ) -> None:
        """The connection is lost."""
        self.events(p.ProviderFailure(kind, "gone", "it went", True, retryable, retry_in_s))

    # --- the caller ---

    def plan(self) -> MediaPlan:
        choice = PlayoutChoice(PlayoutMode.UNICAST)
        return choose_formats(LEG, [8000], choice, media=MediaPath.UNICAST)

    def playout(self, plan: MediaPlan) -> Playout:
        sinks = PlayoutSinks(send_datagram=self.datagrams.append)
        choice = PlayoutChoice(PlayoutMode.UNICAST)
        return make_playout(choice.mode, choice.flavour, plan.playout_format, sinks)

    def join(self) -> None:
        """The caller's media comes."""
        plan = self.plan()
        self.session.attach_media(plan, self.playout(plan))

    def talking(self) -> Stage:
        """Provider and media there."""
        self.session.prepare()
        self.host.ready()
        self.join()
        assert self.session.state is SessionState.TALKING
        return self

    def hear(self, frame: bytes, seconds: float) -> None:
        """The caller's line brings this for so long, frame by frame."""
        for _ in range(round(seconds * 50)):
            self.session.receive_audio(frame)
            self.after(0.02)

    def heard(self, since: int = 0) -> int:
        """Milliseconds of sound the caller got from that datagram on."""
        return 20 * sum(any(datagram) for datagram in self.datagrams[since:])

    # --- time ---

    def after(self, seconds: float) -> None:
        """Time passes: pacer and timers run as in a worker."""
        until = self.now + seconds
        while self.now < until - 1e-9:
            before = self.now
            self.now = min(until, self.now + 0.005)
            self.pacer.tick(self.now)
            if int(self.now * 4 + 1e-6) != int(before * 4 + 1e-6):
                self.session.tick(self.now)


PHRASE = (b"\x00\x10" * 4000, AudioFormat(PCMU_8K.encoding.L16, 8000))
"""Half a second of a recorded phrase."""
