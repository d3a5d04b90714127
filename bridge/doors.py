"""Who may open a WebSocket on the media port: what its server asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bridge.routes import Refusal, StreamRequest, TalkRequest
from bridge.wire.link import OnClosed, OnMessages, WebSocketLink

LinkFactory = Callable[[OnMessages, OnClosed], WebSocketLink]


class StreamGate(Protocol):
    """Who may join which call. Both methods run in the request's greenlet and must not wait."""

    def check(self, request: StreamRequest) -> Refusal | None:
        """Before the upgrade. None admits, and reserves: a second join is refused from now on."""

    def join(self, request: StreamRequest, open_link: LinkFactory) -> None:
        """After the 101. Call `open_link` once, with the handlers; not calling it closes."""


class TalkDoor(Protocol):
    """Which browser may talk to whom. As `StreamGate`."""

    def check(self, request: TalkRequest) -> Refusal | None:
        """Before the upgrade. None admits; the ticket is used up."""

    def join(self, request: TalkRequest, open_link: LinkFactory) -> None:
        """After the 101. Call `open_link` once, with the handlers; not calling it closes."""
