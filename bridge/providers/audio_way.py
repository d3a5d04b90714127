"""The short way of the caller's audio to a provider that has named the shape it takes it in."""

from __future__ import annotations

from typing import Protocol

from bridge.providers.base import ProviderProtocol
from bridge.wire.channel import Channel
from bridge.wire.link import WebSocketLink
from bridge.wire.mask_keys import next_key
from bridge.wire.uplink_codec import AudioShape
from bridge.wire.websocket_channel import WebSocketChannel


class Host(Protocol):
    """Whoever counts what is sent."""

    messages_out: int
    dropped: int


class AudioWay:
    """One open channel. What goes out here counts as if `ProviderHost.flush_audio` had sent it."""

    def __init__(
        self, host: Host, protocol: ProviderProtocol, shape: AudioShape, link: WebSocketLink
    ) -> None:
        self.shape = shape
        self.usable = True
        """Nothing has changed since it was found; the host says so."""
        self.next_key = next_key
        """Four bytes to mask a message with."""
        self._host = host
        self._sent = protocol.audio_sent
        self._send = link.send_frame

    def send(self, frame: bytes, audio_bytes: int) -> None:
        """Send a message made by a codec."""
        self._sent(audio_bytes)
        if self._send(frame):
            self._host.messages_out += 1
        else:
            self._host.dropped += 1


def way_by(
    host: Host, protocol: ProviderProtocol, shape: AudioShape, channel: Channel | None
) -> AudioWay | None:
    """The short way through an open channel, where that is a WebSocket."""
    if not isinstance(channel, WebSocketChannel) or channel.link is None:
        return None
    return AudioWay(host, protocol, shape, channel.link)
