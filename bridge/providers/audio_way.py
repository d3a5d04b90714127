"""The short way of the caller's audio to a provider that has named the shape it takes it in."""

from __future__ import annotations

from bridge.providers.base import ProviderProtocol
from bridge.wire.channel import Channel
from bridge.wire.link import WebSocketLink
from bridge.wire.mask_keys import next_key
from bridge.wire.uplink_codec import AudioShape
from bridge.wire.websocket_channel import WebSocketChannel


class AudioWay:
    """One open channel. What goes out here is counted by its link."""

    def __init__(self, protocol: ProviderProtocol, shape: AudioShape, link: WebSocketLink) -> None:
        self.shape = shape
        self.usable = True
        """Nothing has changed since it was found; the host says so."""
        self.next_key = next_key
        """Four bytes to mask a message with."""
        self.sent = protocol.audio_sent
        """To be told of each message, how many bytes of audio are in it."""
        self.send = link.send_frame
        """Send a message made by a codec; False: the link took none."""


def way_by(
    protocol: ProviderProtocol, shape: AudioShape, channel: Channel | None
) -> AudioWay | None:
    """The short way through an open channel, where that is a WebSocket."""
    if not isinstance(channel, WebSocketChannel) or channel.link is None:
        return None
    return AudioWay(protocol, shape, channel.link)
