"""One run of mod_audio_stream on a leg, from its ticket to its end."""

from __future__ import annotations

import re
from typing import Protocol

import structlog
from gevent.event import Event as Signal

from bridge.wire import frames
from bridge.wire.link import CloseInfo, WebSocketLink

_CANNOT_CONNECT = re.compile(r'"code":\s*([678]|10)\b|certificate verify failed|error:00000005:')
"""mod_audio_stream's codes for a handshake that failed or took too long; others tell of the end of
a connection, of an older one perhaps. A certificate it does not trust has the code of any later
trouble with TLS, and OpenSSL's words; a port that refuses has it too, with OpenSSL's number for an
error of the system (WebSocketContext.cpp, handleEvent)."""

_log = structlog.get_logger("media")


class StreamUser(Protocol):
    """Who is told about the end. Called on the hub."""

    def on_stream_closed(self, stream: CallerStream, info: CloseInfo) -> None:
        """It ended without being asked to."""


class CallerStream:
    """Implements the session manager's `StreamOwner`.

    Each start has one of its own, so that the late end of an old stream is never taken for the end
    of its successor.
    """

    def __init__(self, user: StreamUser) -> None:
        self.joined = Signal()
        """It is here, or will not come."""
        self.refusal = ""
        """Why it could not connect."""
        self.link: WebSocketLink | None = None
        self._user: StreamUser | None = user
        self._given_up = False

    @property
    def is_open(self) -> bool:
        """Audio can come and go."""
        return self.link is not None and self.link.is_open

    def hear_error(self, text: str) -> None:
        """What the module says went wrong: when it cannot connect there is nothing to wait for."""
        if self.link is None and _CANNOT_CONNECT.search(text):
            self.refusal = f"mod_audio_stream: {text[:200]}"
            self.joined.set()

    def send_binary(self, data: bytes) -> None:
        """To the module, if it is there."""
        if self.link is not None:
            self.link.send_binary(data)

    def send_text(self, data: bytes) -> None:
        """To the module, if it is there."""
        if self.link is not None:
            self.link.send_text(data)

    def give_up(self) -> None:
        """It is to end: nobody is told."""
        self._given_up = True

    def close(self) -> None:
        """End it."""
        self._given_up, self._user = True, None
        if self.link is not None:
            self.link.close(frames.NORMAL)

    def stream_joined(self, link: WebSocketLink) -> None:
        """The caller's stream is here."""
        self.link = link
        self.joined.set()

    def stream_closed(self, info: CloseInfo) -> None:
        """It ended."""
        self.link = None
        if not self._given_up and self._user is not None:
            self._user.on_stream_closed(self, info)

    def stream_text(self, payload: bytes) -> None:
        """Metadata and free text: nothing of it is trusted, and the identity is known already."""
        _log.debug("media.stream_text", size=len(payload))
