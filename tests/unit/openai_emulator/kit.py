"""Helpers for tests of the emulated OpenAI Realtime service: no socket, virtual time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

import msgspec
import pybase64

from bridge.audio.formats import AudioFormat
from bridge.providers.actions import Send
from bridge.providers.base import FunctionCall, ProviderEvent
from bridge.providers.openai.realtime import CHANNEL, OpenAIRealtime
from esl_controller.simulator.openai.config import EmulatorConfig, Faults
from esl_controller.simulator.openai.record import SessionRecord
from esl_controller.simulator.openai.session import EmulatedSession
from esl_controller.simulator.openai.voice import encode, synthetic_speech

UNIX_NOW = 1_780_000_000.0


def new_session(
    config: EmulatorConfig | None = None, faults: Faults | None = None, now: float = 0.0
) -> EmulatedSession:
    record = SessionRecord(number=1)
    return EmulatedSession(
        config or EmulatorConfig(),
        faults or Faults(),
        record,
        model="gpt-realtime-2.1",
        now=now,
        unix_now=UNIX_NOW,
    )


class Client:
    """A client that sends plain events and sees the server's."""

    def __init__(self, config: EmulatorConfig | None = None, faults: Faults | None = None) -> None:
        self.now = 0.0
        self.session = new_session(config, faults)
        self.seen: list[dict[str, Any]] = []
        self.collect()

    @property
    def record(self) -> SessionRecord:
        return self.session.core.record

    def collect(self) -> list[dict[str, Any]]:
        new = [msgspec.json.decode(message) for message in self.session.messages_to_send()]
        self.seen += new
        return new

    def send(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Send an event; what the server says to it at once."""
        message = msgspec.json.encode({"type": kind, **fields})
        self.session.receive_message(message, self.now)
        return self.collect()

    def update(self, **session: Any) -> list[dict[str, Any]]:
        return self.send("session.update", session={"type": "realtime", **session})

    def say(self, data: bytes) -> list[dict[str, Any]]:
        audio = pybase64.b64encode(data).decode()
        return self.send("input_audio_buffer.append", audio=audio)

    def speak(self, text: str, audio_format: AudioFormat, silence_ms: int = 600) -> None:
        data = encode(synthetic_speech(text), audio_format) + audio_format.silence(silence_ms)
        for begin in range(0, len(data), audio_format.bytes_per_frame):
            self.say(data[begin : begin + audio_format.bytes_per_frame])

    def wait(self, seconds: float) -> list[dict[str, Any]]:
        """Let time pass; what the server says meanwhile."""
        end, before = self.now + seconds, len(self.seen)
        while (due := self.session.next_deadline()) is not None and due <= end:
            self.now = max(self.now, due)
            self.session.handle_timeout(self.now)
            self.collect()
        self.now = end
        return self.seen[before:]

    def finish(self) -> dict[str, Any]:
        """Wait for the end of the active response; that response."""
        for _ in range(100):
            for event in self.wait(1.0):
                if event["type"] == "response.done":
                    return dict(event["response"])
        raise AssertionError("no response.done in 100 s")


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def error(events: list[dict[str, Any]]) -> dict[str, Any]:
    (event,) = events
    assert event["type"] == "error"
    return dict(event["error"])


class Call:
    """A provider and an emulated session, joined by a network with a delay of its own each way."""

    def __init__(
        self,
        provider: OpenAIRealtime,
        session: EmulatedSession,
        *,
        delay_s: Callable[[], float] = lambda: 0.0,
        run_function: Callable[[FunctionCall], str] = lambda call: "{}",
    ) -> None:
        self.now = 0.0
        self.events: list[ProviderEvent] = []
        self.provider = provider
        self.session = session
        self._delay_s = delay_s
        self._run_function = run_function
        self._mail: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self._last = {"up": 0.0, "down": 0.0}

    def carry(self) -> None:
        """Put everything both sides have to say on its way. Order is kept, as TCP does."""
        for action in self.provider.actions():
            assert isinstance(action, Send)
            self._post("up", lambda m=action.data: self.session.receive_message(m, self.now))  # type: ignore[misc]
        for message in self.session.messages_to_send():
            self._post(
                "down",
                lambda m=message: self.provider.receive_message(CHANNEL, m, self.now),  # type: ignore[misc]
            )

    def _post(self, way: str, deliver: Callable[[], None]) -> None:
        at = max(self._last[way], self.now + self._delay_s())
        self._last[way] = at
        heapq.heappush(self._mail, (at, next(self._sequence), deliver))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        for _ in range(100_000):
            self.carry()
            at = self._next_time()
            if at is None or at > end:
                self.now = end
                return
            self.now = max(self.now, at)
            self._deliver()
            self._handle_timeouts()
            self._take_events()
        raise AssertionError("the conversation runs in circles")

    def _next_time(self) -> float | None:
        times = [self._mail[0][0] if self._mail else None]
        times += [self.provider.next_deadline(), self.session.next_deadline()]
        return min((time for time in times if time is not None), default=None)

    def _deliver(self) -> None:
        while self._mail and self._mail[0][0] <= self.now:
            heapq.heappop(self._mail)[2]()
            self.carry()

    def _handle_timeouts(self) -> None:
        for side in (self.provider, self.session):
            deadline = side.next_deadline()
            if deadline is not None and deadline <= self.now:
                side.handle_timeout(self.now)

    def _take_events(self) -> None:
        while (event := self.provider.next_event()) is not None:
            self.events.append(event)
            if isinstance(event, FunctionCall):
                output = self._run_function(event)
                self.provider.send_function_result(
                    event.call_id, output, failed=False, now=self.now
                )

    def speak(self, text: str, audio_format: AudioFormat, silence_ms: int = 400) -> None:
        """The caller says something, in real time."""
        data = encode(synthetic_speech(text), audio_format) + audio_format.silence(silence_ms)
        for begin in range(0, len(data), audio_format.bytes_per_frame):
            self.provider.send_audio(data[begin : begin + audio_format.bytes_per_frame])
            self.run(0.02)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]
