"""What ends a conversation with a provider, where its protocol has no words for it."""

from __future__ import annotations

from bridge.providers.base import Ended, ErrorKind, ProviderEvent, ProviderFailure
from bridge.wire.channel import ChannelEnd, Ender

BROKEN = ProviderFailure(ErrorKind.PROTOCOL, "internal_error", "internal error", True, True)
"""Something unexpected was raised."""


def is_last(event: ProviderEvent) -> bool:
    """Whether nothing follows it."""
    return isinstance(event, Ended) or (isinstance(event, ProviderFailure) and event.fatal)


def lost(end: ChannelEnd) -> ProviderFailure:
    """For a protocol that had nothing to say about the end of its only channel."""
    kind = ErrorKind.OURS if end.by is Ender.US else ErrorKind.CONNECTION
    code = end.stage or f"close_{end.code}"
    return ProviderFailure(kind, code, end.reason or f"channel ended with {end.code}", True, True)
