"""What a protocol object wants done: channels opened, written to and closed.

`bridge.providers.host` does it. A channel has a name of the protocol's own choice; its end is told
as a `bridge.wire.channel.ChannelEnd`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A WebSocket to open. `headers` may hold secrets: never log them."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    subprotocols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP exchange. `url` and `headers` may hold secrets: never log them."""

    method: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    server_sent_events: bool = False
    """Each event's data is one message; otherwise the whole body is."""
    first_byte_s: float = 5.0
    """Longest wait for the first byte of the answer."""


@dataclass(frozen=True, slots=True)
class SpeechService:
    """A service of the local speech process, for instance `piper`."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


Target = Endpoint | HttpRequest | SpeechService


class Open(NamedTuple):
    """Open a channel. One that is open under this name is closed first."""

    channel: str
    target: Target


class Send(msgspec.Struct, frozen=True, gc=False):
    """Send on a channel; kept, within limits, while it is being opened.

    One for each frame of the caller, hence a `Struct`: a `NamedTuple` takes five times as long.
    """

    channel: str
    data: bytes
    binary: bool = False


class Close(NamedTuple):
    """Close a channel: nothing is received from it any more, not even its end."""

    channel: str


Action = Open | Send | Close
