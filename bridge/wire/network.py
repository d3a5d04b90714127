"""Proxy, TLS, resolver and retries used to reach providers."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field

from bridge.wire.client_handshake import Proxy
from bridge.wire.dialling import DIRECT, Dialler
from bridge.wire.frames import FrameLimits
from bridge.wire.keepalive import KeepAlive
from bridge.wire.link import LinkLimits

_MAX_MESSAGE_BYTES = 1 << 24
_MAX_BUFFERED_BYTES = 1 << 20

_shared_keepalive = KeepAlive(interval_s=15.0)


@dataclass(frozen=True, slots=True)
class Network:
    """Network settings shared by all providers."""

    proxy: Proxy | None = None
    tls: ssl.SSLContext | None = None
    """None: the process's shared context with the system's certificates."""
    dialler: Dialler = DIRECT
    """Looks names up, and refuses addresses that must not be connected."""
    max_attempts: int = 2
    first_backoff_s: float = 0.1
    """Doubles with each attempt; the real wait is a random part of it."""
    limits: LinkLimits = field(
        default_factory=lambda: LinkLimits(
            FrameLimits(_MAX_MESSAGE_BYTES, validate_text=False), _MAX_BUFFERED_BYTES
        )
    )
    keepalive: KeepAlive = _shared_keepalive
    speech: str | None = None
    """Path of the local speech process's socket; None: there is no such process."""
