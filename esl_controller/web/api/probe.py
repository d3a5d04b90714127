"""One short conversation with a provider, without a caller: to test it, or to hear its voice."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gevent.queue import Empty, Queue

from bridge.audio.formats import AudioFormat, Encoding
from bridge.errors import BridgeError
from bridge.providers import base as p
from bridge.providers.conversation import Brief, Conversation, Opening
from bridge.providers.host import Network, ProviderHost
from esl_controller.telemetry.redaction import MAX_TEXT, redact_text

MAX_AUDIO_S = 60
"""Longest sentence that is kept."""
MAX_MESSAGE_CHARS = 300
MAX_CODE_CHARS = 64


class ProbeFailed(Exception):
    """The provider did not do it. Its words are redacted: it may repeat the key, or part of it."""

    def __init__(self, kind: str, code: str, message: str) -> None:
        message = redact_text(message[:MAX_TEXT])[:MAX_MESSAGE_CHARS]
        code = redact_text(code[:MAX_TEXT])[:MAX_CODE_CHARS]
        super().__init__(f"{kind} {code}: {message}")
        self.kind, self.code, self.message = kind, code, message


@dataclass(frozen=True, slots=True)
class Ready:
    """How long it took to get ready, in milliseconds."""

    connect_ms: float
    ready_ms: float


class Probe:
    """One connection. `close` it, whatever happened."""

    def __init__(
        self,
        protocol: p.ProviderProtocol,
        *,
        network: Network | None,
        timeout_s: float,
        greeting: str = "",
        on_usage: Callable[[p.Usage], object],
    ) -> None:
        """`on_usage` gets what the provider counts, on the hub: it must not wait."""
        self._on_usage = on_usage
        capabilities = protocol.capabilities
        self.format = _linear(capabilities.audio_out)
        conversation = Conversation(
            audio_in=capabilities.audio_in[0],
            audio_out=self.format,
            brief=Brief(greeting=greeting),
            opening=Opening.GREET if greeting else Opening.LISTEN,
        )
        self._limit = self.format.bytes_for_ms(MAX_AUDIO_S * 1000)
        self._audio = bytearray()
        self._events: Queue[p.ProviderEvent] = Queue()
        self._began = time.monotonic()
        self._until = self._began + timeout_s
        self._host = ProviderHost(
            protocol,
            conversation,
            on_events=self._take,
            connect_timeout_s=timeout_s,
            network=network,
        )

    def wait_ready(self) -> Ready:
        """Connect, and wait until the provider took our settings. Raises ProbeFailed."""
        try:
            self._host.start()
        except BridgeError as error:
            raise ProbeFailed("configuration", "settings", str(error)) from error
        while not isinstance(ready := self._next(), p.SessionReady):
            continue
        self.format = ready.audio_out
        ready_s = time.monotonic() - self._began
        return Ready(1000 * (self._host.connect_s or 0.0), 1000 * ready_s)

    def wait_said(self) -> bytes:
        """Wait until the greeting has been made, and return it. Raises ProbeFailed."""
        while True:
            event = self._next()
            if isinstance(event, p.ResponseDone):
                break
        if event.status != "completed":
            kind = (event.error_kind or p.ErrorKind.SERVER).value
            raise ProbeFailed(kind, f"response_{event.status}", event.reason)
        return bytes(self._audio)

    def close(self) -> None:
        """Leave; what the provider still counts is booked."""
        self._host.stop()

    def _take(self, events: Sequence[p.ProviderEvent]) -> None:
        """On the hub. Audio is gathered, what matters is passed on; nothing grows for ever."""
        for event in events:
            if isinstance(event, p.Audio):
                self._audio += event.data[: self._limit - len(self._audio)]
            elif isinstance(event, p.Usage):
                self._on_usage(event)
            elif isinstance(event, p.SessionReady | p.ResponseDone | p.ProviderFailure | p.Ended):
                self._events.put(event)

    def _next(self) -> p.ProviderEvent:
        left_s = self._until - time.monotonic()
        try:
            event = self._events.get(timeout=max(0.0, left_s))
        except Empty:
            raise ProbeFailed("connection", "timeout", "no answer in time") from None
        if isinstance(event, p.ProviderFailure):
            raise ProbeFailed(event.kind.value, event.code, event.message)
        if isinstance(event, p.Ended):
            raise ProbeFailed("connection", "ended", event.reason)
        return event


def wav(audio: bytes, audio_format: AudioFormat) -> bytes:
    """Linear audio as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(audio_format.bytes_per_sample)
        writer.setframerate(audio_format.rate_hz)
        writer.writeframes(audio)
    return file.getvalue()


def _linear(formats: tuple[AudioFormat, ...]) -> AudioFormat:
    """The first linear format; every provider has one."""
    return next((f for f in formats if f.encoding is Encoding.L16), formats[0])
