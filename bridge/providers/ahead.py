"""A provider's first channels, opened before it is known what the provider will be told.

Names, TCP, TLS and hand-shakes take as long as whatever else is waited for: both go on at once.
Nothing is sent on them until they are taken; what comes meanwhile is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gevent

from bridge.providers.actions import Open, Target
from bridge.providers.base import ProviderProtocol
from bridge.providers.channels import MAX_KEPT_BYTES, MAX_KEPT_MESSAGES, open_channel
from bridge.providers.conversation import Conversation
from bridge.wire.channel import Channel, ChannelListener
from bridge.wire.network import Network


class Ahead:
    """What one call has opened; `close` ends what nobody took."""

    def __init__(
        self,
        scout: ProviderProtocol,
        conversation: Conversation,
        *,
        connect_timeout_s: float,
        network: Network | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`scout` is a protocol object like the one that will serve, and is used for this alone.

        Raises LocalProtocolError for formats that it does not speak.
        """
        self.opened_at = clock()
        self._relays: dict[str, tuple[Target, _Relay]] = {}
        scout.start(conversation, self.opened_at)
        for action in scout.actions():
            if isinstance(action, Open):
                relay = _Relay()
                relay.channel = open_channel(
                    action.target, relay.listener, network or Network(), connect_timeout_s
                )
                self._relays[action.channel] = action.target, relay

    def take(self, name: str, target: Target, listener: ChannelListener) -> Channel | None:
        """A channel to exactly this target, whose news go to `listener` from the hub's next turn
        on; None where none was opened."""
        opened_to, relay = self._relays.get(name, (None, None))
        if relay is None or relay.channel is None or opened_to != target:
            return None
        del self._relays[name]
        return relay.hand_over(listener)

    def close(self) -> None:
        """End the others."""
        relays, self._relays = self._relays, {}
        for _, relay in relays.values():
            relay.close()


class _Relay:
    """Keeps what a channel tells until somebody listens; one that tells too much is closed."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self._to: ChannelListener | None = None
        self._kept: list[tuple[str, tuple[Any, ...]]] = []
        self._kept_messages = self._kept_bytes = 0
        self._taken = False
        self.listener = ChannelListener(
            on_open=lambda: self._tell("on_open"),
            on_messages=self._on_messages,
            on_end=lambda end: self._tell("on_end", end),
            on_fault=lambda error: self._tell("on_fault", error),
        )

    def hand_over(self, listener: ChannelListener) -> Channel | None:
        """From now on to this one; never inside this call."""
        self._taken = True
        gevent.get_hub().loop.run_callback(self._replay, listener)
        return self.channel

    def close(self) -> None:
        """Nobody wants it."""
        channel, self.channel = self.channel, None
        if channel is not None:
            channel.close()

    def _replay(self, listener: ChannelListener) -> None:
        self._to = listener
        kept, self._kept = self._kept, []
        for name, told in kept:
            self._tell(name, *told)

    def _on_messages(self, messages: list[bytes]) -> None:
        if not self._taken:
            self._kept_messages += len(messages)
            self._kept_bytes += sum(map(len, messages))
            if self._kept_messages > MAX_KEPT_MESSAGES or self._kept_bytes > MAX_KEPT_BYTES:
                self._kept = []
                return self.close()
        self._tell("on_messages", messages)

    def _tell(self, name: str, *told: Any) -> None:
        if self._to is None:
            self._kept.append((name, told))
        else:
            getattr(self._to, name)(*told)
