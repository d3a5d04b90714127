"""The caller's way to the provider: convert once, hand over at once, and keep what may be lost.

A provider that breaks takes along what it has heard. What the caller is saying at that moment is
kept here, and its successor hears the sentence from its beginning.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from bridge.audio.formats import AudioFormat
from bridge.audio.processor import Converter
from bridge.session.ear import VoiceActivity

MAX_HELD_MS = 5000
"""Caller audio kept while no provider is there, or of a turn not answered yet; the oldest goes
first."""
PRE_ROLL_MS = 1500
"""Kept of what was sent before it is known that the caller speaks: the provider tells so late, and
a provider that does not tell at all is suspected later still (`bridge.session.life_sign`)."""


@dataclass(slots=True)
class UplinkCounters:
    """Sampled once a second; never touched by anyone else."""

    chunks: int = 0
    bytes: int = 0
    held_dropped_bytes: int = 0


class Uplink:
    """Converts caller audio and sends it, or keeps the last seconds while nobody can take it.

    `target` is the provider's input format; `send` takes audio in it.
    """

    def __init__(self, target: AudioFormat, send: Callable[[bytes], None]) -> None:
        self.counters = UplinkCounters()
        self._send = send
        self.on_voice: Callable[[], None] | None = None
        """The caller seems to have begun or stopped speaking; see `voice`."""
        self.voice: VoiceActivity | None = None
        self._converter: Converter | None = None
        self._open = False
        self._held = bytearray()
        """Not sent yet."""
        self._kept: deque[bytes] = deque()
        """Sent, and worth sending again: the turn under way, or the pre-roll of the next one."""
        self._kept_size = 0
        self._kept_max = self._pre_roll_bytes = target.bytes_for_ms(PRE_ROLL_MS)
        self._turn_bytes = target.bytes_for_ms(MAX_HELD_MS)
        self.in_turn = False
        """The caller has said something that nobody has answered or written down."""

    def attach(self, converter: Converter) -> None:
        """The caller's stream is there, in the converter's source format."""
        self._converter = converter
        self.voice = VoiceActivity(converter.source.rate_hz)

    def detach(self) -> None:
        """The caller's stream is gone."""
        self._converter = self.voice = None

    def open(self) -> None:
        """The provider listens: send what was held, then everything at once."""
        self._open = True
        if self._held:
            held, self._held = bytes(self._held), bytearray()
            self._send(held)
            self._keep(held)

    def shut(self) -> None:
        """Nobody listens: hold the latest audio."""
        self._open = False

    def turn_began(self) -> None:
        """The caller speaks: keep it until the turn is over."""
        self.in_turn = True
        self._kept_max = self._turn_bytes

    def turn_over(self) -> None:
        """The caller's turn is answered or in the transcript: nobody needs to hear it again."""
        self.in_turn = False
        self._kept_max = self._pre_roll_bytes
        self._forget()

    def listener_lost(self) -> None:
        """The provider is gone: its successor is to hear what was kept, then what comes."""
        self.shut()
        self._held = bytearray(b"".join((*self._kept, self._held)))
        self._forget()
        self._trim_held()
        self.in_turn = self.in_turn and bool(self._held)

    def receive(self, data: bytes) -> None:
        """Caller audio, any number of bytes. The hot path: 50 times a second and call."""
        converter, voice = self._converter, self.voice
        if converter is None or voice is None:
            return
        counters = self.counters
        counters.chunks += 1
        counters.bytes += len(data)
        converted = converter.convert(data)
        if self._open:
            self._send(converted)
            self._keep(converted)
        else:
            self._held += converted
            self._trim_held()
        if voice.hear(data) and self.on_voice is not None:
            self.on_voice()

    def _keep(self, data: bytes) -> None:
        kept = self._kept
        kept.append(data)
        self._kept_size += len(data)
        while self._kept_size > self._kept_max and len(kept) > 1:
            self._kept_size -= len(kept.popleft())

    def _forget(self) -> None:
        self._kept.clear()
        self._kept_size = 0

    def _trim_held(self) -> None:
        excess = len(self._held) - self._turn_bytes
        if excess > 0:
            excess += excess % 2
            del self._held[:excess]
            self.counters.held_dropped_bytes += excess
