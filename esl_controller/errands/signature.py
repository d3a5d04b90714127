"""Signatures of webhooks, as docs/errands.md tells receivers to check them. Pure."""

from __future__ import annotations

import hashlib
import hmac

TOLERANCE_S = 300
"""A receiver should refuse what is older."""


def sign(secret: str, timestamp_s: int, body: bytes) -> str:
    """Return `v1=` and HMAC-SHA256 (RFC 2104) over the timestamp, a full stop and the body."""
    signed = str(timestamp_s).encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_valid(secret: str, signature: str, timestamp_s: int, body: bytes, *, now_s: float) -> bool:
    """Whether a receiver should believe a webhook."""
    fresh = abs(now_s - timestamp_s) <= TOLERANCE_S
    return fresh and hmac.compare_digest(sign(secret, timestamp_s, body), signature)
