"""The caller's audio on its shortest way: from one read of his link to one message of the provider.

Taken for a read when all there is to do with it is plain, which is looked at again each time: the
bytes are whole frames of audio, nobody but our ear and the echo's meter is to hear them first, the
provider listens and takes audio in a shape it has named. Anything else goes the long way, by the
frame parser, `Uplink.receive` and the provider's own `send_audio`; both do the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bridge.audio.processor import Converter
from bridge.session.line import Line
from bridge.wire.uplink_codec import AudioShape, Codec, make_codec


class AudioWay(Protocol):
    """A provider's connection that takes audio in one shape."""

    shape: AudioShape
    next_key: Callable[[], bytes]
    """Four bytes to mask a message with."""

    @property
    def usable(self) -> bool:
        """Nothing has changed since it was found."""

    def sent(self, audio_bytes: int, /) -> None:
        """Be told how many bytes of audio are in the message that is sent next."""

    def send(self, frame: bytes, /) -> bool:
        """Send a message made by a codec; False: it could not be taken."""


class Seat(Protocol):
    """Where the caller's audio goes."""

    def audio_way(self) -> AudioWay | None:
        """The way it goes now; None: by `send_audio`."""


class PlainUplink:
    """One call's. `receive` is the hot path."""

    def __init__(self, line: Line, seat: Seat) -> None:
        self._line = line
        self._uplink = line.uplink
        self._clock = line.clock
        self._seat = seat
        self._way: AudioWay | None = None
        self._converter: Converter | None = None
        self._codec: Codec | None = None

    def receive(self, data: bytes) -> int:
        """Take a read of the caller's link; how many frames it held, 0: it is not plain."""
        line, uplink, way = self._line, self._uplink, self._way
        if (
            way is None
            or not way.usable
            or not uplink.is_open
            or uplink.converter is not self._converter
        ):
            way = self._join()
        codec = self._codec
        if way is None or codec is None or uplink.carry or line.on_heard is not None:
            return 0
        now = self._clock()
        taken = codec.take(data, now, uplink.muted, way.next_key())
        if taken is None:
            return 0
        frames, size, message, sent, changed, echo = taken
        counters = uplink.counters
        counters.chunks += 1
        counters.bytes += size
        if sent:
            way.sent(sent)
            way.send(message)
        elif changed is not None:
            # Whoever is told may act on it at once.
            line.ear.changed()
            line.tell(changed)
            uplink.go_on(changed, echo=echo)
        if line.on_piece is not None:
            line.on_piece(now)
        return frames

    def _join(self) -> AudioWay | None:
        """Make a codec for what there is now; None: that is not plain."""
        uplink = self._uplink
        way = self._seat.audio_way() if uplink.is_open else None
        hearing = self._line.hearing
        self._way, self._converter, self._codec = way, uplink.converter, None
        if way is not None and uplink.converter is not None and hearing is not None:
            self._codec = make_codec(uplink.converter, way.shape, hearing)
        return way
