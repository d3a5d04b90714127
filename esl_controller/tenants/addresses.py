"""Addresses and headers of tenants' own systems, read so that every reader sees the same. Pure."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4096}")
_OURS = re.compile(
    r"host|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|"
    r"accept-encoding|proxy-.*",
    re.IGNORECASE,
)
"""Headers that say how a message is carried, and to whom."""
_URL = re.compile(r"https?://[\x21-\x5b\x5d-\x7e]{1,4000}")
"""No backslash, no blank, nothing outside ASCII: all readers of addresses see the same host."""
_HOST = re.compile(r"[0-9a-z_]([0-9a-z._-]{0,251}[0-9a-z_])?|[0-9a-f:.]{2,45}")


def readable_url(url: str) -> SplitResult:
    """The parts of an http address that every reader splits alike, the host in lower case.

    Raises ValueError, whose text does not repeat the address: it may hold a key.
    """
    problem = "must be an http:// or https:// address without a user name"
    try:
        parts = urlsplit(url) if _URL.fullmatch(url) else urlsplit("")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise ValueError(problem) from None
    if not _HOST.fullmatch(host) or "@" in parts.netloc or port == 0:
        raise ValueError(problem)
    shown = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=shown if port is None else f"{shown}:{port}")


def header_problem(name: str, value: str) -> str | None:
    """Why a header cannot be sent; None: it can. Does not repeat the value, which may be a key."""
    if not _HEADER_NAME.fullmatch(name):
        return f"{name!r:.60} is no header name (RFC 9110 section 5.1)"
    if _OURS.fullmatch(name):
        return f"{name} is ours to set"
    return None if _HEADER_VALUE.fullmatch(value) else f"{name}: must be printable ASCII"
