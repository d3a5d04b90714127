"""The interface of a playback mode, and the callbacks it sends through."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from bridge.audio.formats import AudioFormat
from bridge.errors import LocalProtocolError


class Fade(enum.Enum):
    """Where the end of a sound that is broken off can be faded."""

    NONE = "none"
    """Nowhere: what was sent ahead is recalled, at once and hard."""
    BEHIND_SENT = "behind_sent"
    """So little is sent ahead that it may be heard, even if it could be recalled; the fade follows
    it."""
    AFTER_CLEAR = "after_clear"
    """What was sent ahead is recalled in order with what is sent next: that is the fade."""


class Playout(Protocol):
    """One playback mode on one call. When to play is decided by `PlayoutStream`."""

    @property
    def format(self) -> AudioFormat:
        """The format of the chunks passed to `play`."""

    @property
    def frame_ms(self) -> int:
        """Every chunk is a whole number of these."""

    @property
    def first_chunk_ms(self) -> int:
        """Upper limit for the first chunk of an answer."""

    @property
    def chunk_ms(self) -> int:
        """Upper limit for every later chunk."""

    @property
    def lead_ms(self) -> int:
        """How far ahead of real time to send: the next chunk goes out as soon as less than this,
        minus one frame, has been sent ahead."""

    @property
    def margin_ms(self) -> tuple[int, int] | None:
        """Least and most time between sending a chunk and the end of what was sent before, where
        that follows how late the hub is; None: `lead_ms` says when."""

    @property
    def tail_padding_ms(self) -> int:
        """Silence that must follow an answer for all of it to be heard."""

    @property
    def latency_ms(self) -> int:
        """From `play` of an answer's first chunk to the caller's RTP, with nothing queued."""

    @property
    def begins(self) -> Callable[[float], float] | None:
        """When what is sent at a moment, monotonic seconds, is taken to begin, with nothing queued
        and without the latency; None: at once."""

    @property
    def silence_every_s(self) -> float | None:
        """How often to play a frame of silence while idle; None if FreeSWITCH sends silence by
        itself."""

    @property
    def recalls(self) -> bool:
        """Whether `clear` also silences what was sent ahead; if not, the caller still hears it."""

    @property
    def fade(self) -> Fade:
        """How a sound that is broken off ends."""

    def play(self, chunk: bytes, generation: int) -> None:
        """Send a chunk now."""

    def clear(self, generation: int, now: float) -> None:
        """Silence everything up to and including `generation`."""


def _no_sink(*_: object) -> NoReturn:
    raise LocalProtocolError("this playout was given no sink for that")


@dataclass(frozen=True, slots=True)
class PlayoutSinks:
    """Where a playout sends its output. None of these waits."""

    send_binary: Callable[[bytes], None] = _no_sink
    """A binary WebSocket message to FreeSWITCH."""
    send_text: Callable[[bytes], None] = _no_sink
    """A text WebSocket message to FreeSWITCH, in UTF-8."""
    send_datagram: Callable[[bytes], object] = _no_sink
    """A UDP datagram to the call's `unicast` port."""
    execute_playback: Callable[[str, int, int], None] = _no_sink
    """`sendmsg execute playback` with event-lock: path on FreeSWITCH's host, generation, number."""
    break_playback: Callable[[], None] = _no_sink
    """`uuid_break <uuid> all`."""
    stream_break: Callable[[], None] = _no_sink
    """`uuid_audio_stream <uuid> break`."""

    def clear_module(self, message: bytes | None) -> None:
        """Have the module drop what it has queued: by this message, by `break` if it is empty, or
        not at all."""
        if message:
            self.send_text(message)
        elif message is not None:
            self.stream_break()
