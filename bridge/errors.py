"""Who broke the rules, and whether trying again can help."""

from __future__ import annotations


class BridgeError(Exception):
    """Base of every error the bridge raises on purpose."""


class RemoteProtocolError(BridgeError):
    """The peer broke its protocol. It ends at most the peer's own connection."""

    def __init__(self, message: str, *, close_code: int = 1002) -> None:
        super().__init__(message)
        self.close_code = close_code
        """WebSocket close code that tells the peer (RFC 6455 section 7.4.1)."""


class LocalProtocolError(BridgeError):
    """We misused an object of ours: a bug on this side."""
