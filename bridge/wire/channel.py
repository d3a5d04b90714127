"""The interface of a channel to a provider, whatever carries it.

A channel is opened by being made, tells its listener how it goes, and is closed by `close`. The
listener is called on the hub and never inside a call of the channel's owner.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MAX_BODY_BYTES = 4096
"""How much of a refusal's body is kept."""


class Ender(enum.Enum):
    """Who ended a channel."""

    PEER = "peer"
    US = "us"
    """A limit of ours (a peer that does not read) or a fault of ours."""
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class ChannelEnd:
    """How a channel ended, or why it could not be opened. The protocol says what it means."""

    by: Ender
    stage: str = ""
    """Where opening it failed: request | dns | proxy | tcp | certificate | tls | http | protocol |
    timeout. Empty once it was open."""
    code: int = 0
    """HTTP status at stage `http` and of an HTTP exchange, else the WebSocket close code."""
    reason: str = ""
    """For logs; holds no secret of ours."""
    body: bytes = b""
    """Of an HTTP refusal, at most 4 KiB."""
    retry_after_s: float | None = None
    """What a `Retry-After` header asked for."""


@dataclass(frozen=True, slots=True)
class ChannelListener:
    """The owner of a channel. Nothing follows `on_end` or `on_fault`."""

    on_open: Callable[[], None]
    on_messages: Callable[[list[bytes]], None]
    """Called with all messages of one read."""
    on_end: Callable[[ChannelEnd], None]
    """Called when the channel ended or could not be opened, but not after `close`."""
    on_fault: Callable[[BaseException], None]
    """Called on an unexpected exception in the channel, which is a fault of ours."""


class Channel(Protocol):
    """A channel as its owner sees it."""

    def send(self, data: bytes, binary: bool, /) -> bool:
        """Send one message; False when the channel cannot take it."""

    def close(self) -> None:
        """End the channel in good order. No callback follows."""


def retry_after_s(value: str | None) -> float | None:
    """Seconds of a `Retry-After` header; None without one. Dates (RFC 9110, 10.2.3) are ignored."""
    if value is None or not value.strip().isascii() or not value.strip().isdigit():
        return None
    return min(float(value.strip()[:9]), 86400.0)
