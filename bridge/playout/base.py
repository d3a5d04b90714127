"""What every way of playing has in common, and what it is given to act with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from bridge.audio.formats import AudioFormat
from bridge.errors import LocalProtocolError


class Playout(Protocol):
    """One way of playing, on one call. Times of playing are `PlayoutStream`'s affair."""

    @property
    def format(self) -> AudioFormat:
        """What `play` takes."""

    @property
    def frame_ms(self) -> int:
        """Chunks are whole multiples of this."""

    @property
    def first_chunk_ms(self) -> int:
        """The most the first chunk of an answer should hold."""

    @property
    def chunk_ms(self) -> int:
        """The most any later chunk should hold."""

    @property
    def lead_ms(self) -> int:
        """How far ahead of real time to play: a chunk goes when less than this, by a frame, is
        ahead."""

    @property
    def tail_padding_ms(self) -> int:
        """Silence an answer must end with to be heard whole."""

    @property
    def latency_ms(self) -> int:
        """From `play` of an answer's first chunk to the caller's RTP, when nothing is ahead."""

    @property
    def silence_every_s(self) -> float | None:
        """How often to play a frame of silence while there is nothing else; None when FreeSWITCH
        sends silence by itself."""

    @property
    def recalls(self) -> bool:
        """Whether `clear` also silences what was played ahead; else that is still heard."""

    def play(self, chunk: bytes, generation: int) -> None:
        """Hand over a chunk, at its time."""

    def clear(self, generation: int, now: float) -> None:
        """Silence everything up to and including `generation`."""


def _no_sink(*_: object) -> NoReturn:
    raise LocalProtocolError("this playout was given no sink for that")


@dataclass(frozen=True, slots=True)
class PlayoutSinks:
    """The outside of a playout; each takes its data at once and never waits."""

    send_binary: Callable[[bytes], None] = _no_sink
    """A binary WebSocket message to FreeSWITCH."""
    send_text: Callable[[bytes], None] = _no_sink
    """A text WebSocket message to FreeSWITCH, in UTF-8."""
    send_datagram: Callable[[bytes], None] = _no_sink
    """A UDP datagram to the call's `unicast` port."""
    execute_playback: Callable[[str, int], None] = _no_sink
    """`sendmsg execute playback` with event-lock: path on FreeSWITCH's host, generation."""
    break_playback: Callable[[], None] = _no_sink
    """`uuid_break <uuid> all`."""
    stream_break: Callable[[], None] = _no_sink
    """`uuid_audio_stream <uuid> break`."""
