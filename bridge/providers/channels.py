"""From what a protocol names as a channel's target to the channel that reaches it."""

from __future__ import annotations

from bridge.providers.actions import Endpoint, HttpRequest, Target
from bridge.speech.channel import SpeechChannel
from bridge.wire.channel import Channel, ChannelListener
from bridge.wire.http_channel import HttpChannel
from bridge.wire.network import Network
from bridge.wire.websocket_channel import WebSocketChannel

MAX_KEPT_MESSAGES = 256
MAX_KEPT_BYTES = 1 << 20
"""Kept for a channel that is being opened."""


class Slot:
    """One name of a channel, and what waits for it to open."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.channel: Channel | None = None
        self.open = False
        self._kept: list[tuple[bytes, bool]] = []
        self._kept_bytes = 0

    def keep(self, data: bytes, binary: bool) -> bool:
        """Keep a message until the channel is open; False when there is no room."""
        full = len(self._kept) >= MAX_KEPT_MESSAGES
        if self.open or full or self._kept_bytes + len(data) > MAX_KEPT_BYTES:
            return False
        self._kept.append((data, binary))
        self._kept_bytes += len(data)
        return True

    def close(self) -> None:
        """Nothing of it is wanted any more."""
        channel, self.channel = self.channel, None
        if channel is not None:
            channel.close()

    def take_kept(self) -> list[tuple[bytes, bool]]:
        """What was kept: the channel is open."""
        self.open = True
        kept, self._kept = self._kept, []
        return kept


def open_channel(
    target: Target, listener: ChannelListener, network: Network, timeout_s: float
) -> Channel:
    """Open a channel within `timeout_s`; how it goes is told to the listener."""
    if isinstance(target, Endpoint):
        return WebSocketChannel(
            target.url,
            target.headers,
            target.subprotocols,
            listener,
            network=network,
            timeout_s=timeout_s,
        )
    if isinstance(target, HttpRequest):
        return HttpChannel(
            target.method,
            target.url,
            target.headers,
            target.body,
            listener,
            server_sent_events=target.server_sent_events,
            first_byte_s=target.first_byte_s,
            network=network,
        )
    return SpeechChannel(network.speech, target.name, target.options, listener, timeout_s=timeout_s)
