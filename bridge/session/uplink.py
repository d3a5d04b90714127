"""The caller's way to the provider: convert once, hand over at once, and keep what may be lost.

A provider that breaks takes along what it has heard. What the caller is saying at that moment is
kept here, and its successor hears the sentence from its beginning. What is kept is at the stream's
own rate, as the next provider may want another one, and µ-law, which takes half the memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.audio.formats import AudioFormat
from bridge.audio.pcm import audioop
from bridge.audio.processor import Converter
from bridge.session.kept_audio import make_kept

MAX_HELD_MS = 5000
"""Caller audio kept while no provider is there, or of a turn not answered yet; the oldest goes
first."""
PRE_ROLL_MS = 1500
"""Kept of what was sent before it is known that the caller speaks: the provider tells so late, and
one that does not tell at all is suspected later still (`bridge.session.life_sign`)."""


@dataclass(slots=True)
class UplinkCounters:
    """Sampled once a second; never touched by anyone else."""

    chunks: int = 0
    bytes: int = 0
    held_dropped_bytes: int = 0


class Uplink:
    """Converts caller audio and sends it, or keeps the last seconds while nobody can take it.

    `send` takes audio in the provider's format; `hear` is given every piece in the stream's, L16,
    whole samples, and says whether it is nothing but our own echo.
    """

    def __init__(self, send: Callable[[bytes], None], hear: Callable[[bytes], bool]) -> None:
        self.counters = UplinkCounters()
        self.muted = False
        """The provider hears silence: our own echo would make it interrupt itself."""
        self.in_turn = False
        """The caller has said something that nobody has answered or written down."""
        self._send = send
        self._hear = hear
        self._stream: AudioFormat | None = None
        self._listener: AudioFormat | None = None
        self.converter: Converter | None = None
        """From the stream's format to the listener's."""
        self.is_open = False
        """The provider listens."""
        self._forgets = False
        self.carry = b""
        """Half a sample that waits for its other half."""
        self._held = bytearray()
        """Not sent yet."""
        self.kept = make_kept()
        """Sent and worth it again: the turn under way, or the pre-roll of the next one."""
        self._turn_bytes = 0

    @property
    def stream(self) -> AudioFormat | None:
        """What the caller's audio comes in; None before it has come."""
        return self._stream

    def attach(self, stream: AudioFormat) -> None:
        """The caller's stream is there, L16."""
        if stream != self._stream:
            self._held.clear()
            self.kept.forget()
        self._stream = stream
        self._turn_bytes = stream.bytes_for_ms(MAX_HELD_MS)
        self._hold()
        self.carry = b""
        self._join()

    def detach(self) -> None:
        """The caller's stream is gone."""
        self.converter = None

    def close(self) -> None:
        """Nobody will listen or hear any more."""
        self.converter = None
        self._send, self._hear = _nobody, _unheard

    def listen(self, listener: AudioFormat) -> None:
        """What the provider takes."""
        if listener != self._listener:
            self._listener = listener
            self._join()

    def open(self) -> None:
        """The provider listens: send what was held, then everything at once."""
        self.is_open = True
        if self._held and self.converter is not None:
            held, self._held = bytes(self._held), bytearray()
            self._pass_on(self.converter, held)

    def shut(self, *, forget: bool = False) -> None:
        """Nobody listens: hold the latest audio, or, with `forget`, none until it is opened."""
        self.is_open = False
        self._forgets = forget
        if forget:
            self._held.clear()
            self.turn_over()

    def turn_began(self) -> None:
        """The caller speaks: keep it until the turn is over."""
        self.in_turn = True
        self._hold()

    def turn_over(self) -> None:
        """The caller's turn is answered or in the transcript: nobody needs to hear it again."""
        self.in_turn = False
        self.kept.forget()
        self._hold()

    def listener_lost(self) -> None:
        """The provider is gone: its successor is to hear what was kept, then what comes."""
        self.shut()
        self._held[:0] = audioop.ulaw2lin(self.kept.take(), 2)
        self._trim_held()
        self.in_turn = self.in_turn and bool(self._held)

    def receive(self, data: bytes) -> None:
        """Caller audio, any number of bytes. The hot path: 50 times a second and call."""
        converter = self.converter
        if converter is None:
            return
        counters = self.counters
        counters.chunks += 1
        counters.bytes += len(data)
        if self.carry or len(data) & 1:
            data = self._whole_samples(data)
        self.go_on(data, echo=self._hear(data))

    def go_on(self, data: bytes, *, echo: bool) -> None:
        """As `receive` ends: send what was heard, or hold it."""
        if self.is_open and self.converter is not None:
            self._pass_on(self.converter, data, echo=echo)
        elif not self._forgets:
            self._held += data
            self._trim_held()

    def _pass_on(self, converter: Converter, data: bytes, *, echo: bool = False) -> None:
        converted = converter.convert(bytes(len(data)) if echo or self.muted else data)
        if converted:
            self._send(converted)
        self.kept.add(data)

    def _hold(self) -> None:
        if self._stream is not None:
            ms = MAX_HELD_MS if self.in_turn else PRE_ROLL_MS
            self.kept.hold(self._stream.rate_hz * ms // 1000)

    def _join(self) -> None:
        if self._stream is not None:
            # Without a provider nothing is sent yet: the stream's own format stands in for its.
            self.converter = Converter(self._stream, self._listener or self._stream)

    def _whole_samples(self, data: bytes) -> bytes:
        data = self.carry + data
        whole = len(data) & ~1
        self.carry = data[whole:]
        return data[:whole]

    def _trim_held(self) -> None:
        excess = len(self._held) - self._turn_bytes
        if excess > 0:
            del self._held[:excess]
            self.counters.held_dropped_bytes += excess


def _nobody(_: bytes) -> None:
    """Takes what a session that is over would send."""


def _unheard(_: bytes) -> bool:
    return False
