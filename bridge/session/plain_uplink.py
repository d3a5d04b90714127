"""The caller's audio on its shortest way: from one read of his link to one message of the provider.

Taken for a read when all there is to do with it is plain, which is looked at again each time: the
bytes are whole frames of audio, the provider listens and takes audio in a shape it has named.
Anything else goes the long way, by the frame parser, `Uplink.receive` and the provider's own
`send_audio`; both do the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bridge.audio.processor import Converter
from bridge.session.uplink import Uplink
from bridge.wire.uplink_codec import AudioShape, Codec, make_codec


class AudioWay(Protocol):
    """A provider's connection that takes audio in one shape."""

    shape: AudioShape
    next_key: Callable[[], bytes]
    """Four bytes to mask a message with."""

    @property
    def usable(self) -> bool:
        """Nothing has changed since it was found."""

    def send(self, frame: bytes, audio_bytes: int) -> None:
        """Send a message made by a codec."""


class Seat(Protocol):
    """Where the caller's audio goes."""

    def audio_way(self) -> AudioWay | None:
        """The way it goes now; None: by `send_audio`."""


class PlainUplink:
    """One call's. `receive` is the hot path."""

    def __init__(self, uplink: Uplink, seat: Seat) -> None:
        self._uplink = uplink
        self._seat = seat
        self._way: AudioWay | None = None
        self._converter: Converter | None = None
        self._codec: Codec | None = None

    def receive(self, data: bytes) -> int:
        """Take a read of the caller's link; how many frames it held, 0: it is not plain."""
        uplink, codec = self._uplink, self._codec or self._join()
        if codec is None or uplink.carry or uplink.converter is not self._converter:
            self._codec = None
            return 0
        heard = codec.feed(data)
        if heard is None:
            return 0
        audio, rms, frames = heard
        echo, way = uplink.heard(audio, rms), self._way
        # Somebody may have acted on what was heard.
        listens = uplink.is_open and uplink.converter is self._converter
        if way is None or not way.usable or not listens:
            self._codec = None
            uplink.go_on(audio, echo=echo)
            return frames
        silent = echo or uplink.muted
        frame, size = codec.frame(bytes(len(audio)) if silent else audio, way.next_key())
        if size:
            way.send(frame, size)
        uplink.keep(audio)
        return frames

    def _join(self) -> Codec | None:
        """Make a codec for what there is now; None: that is not plain."""
        uplink = self._uplink
        way = self._seat.audio_way() if uplink.is_open else None
        self._way, self._converter, self._codec = way, uplink.converter, None
        if way is not None and uplink.converter is not None:
            self._codec = make_codec(uplink.converter, way.shape)
        return self._codec
