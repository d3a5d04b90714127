"""Who may ask for /admin and /api: a network that is allowed, and the bearer token."""

from __future__ import annotations

import enum
import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any

import gevent

from esl_controller.settings.table import Http
from esl_controller.telemetry.known_secrets import IN_USE
from esl_controller.telemetry.rare_log import RareLog

CHALLENGE = (("WWW-Authenticate", 'Bearer realm="admin"'), ("Connection", "close"))
"""Goes with a refusal for the token (RFC 6750 section 3); each try needs its own connection."""
HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)
"""Of every page and answer."""
PENALTY_S = 0.5
"""A wrong token is answered this much later."""
MAX_PENALTIES = 8
"""Requests kept waiting at once. More are refused at once: they must not fill the places for
requests, or guessing would shut out whoever has the token."""


class Refused(enum.Enum):
    """Why a request is not let in."""

    NETWORK = "network"
    """Closed to everybody, or to this address: 403."""
    TOKEN = "token"
    """No token, or a wrong one: 401."""


class AdminDoor:
    """Checks network and token of a request."""

    def __init__(self, settings: Http) -> None:
        token = settings.admin_token.reveal()
        IN_USE.remember(token)
        self._token_hash = _hash(token) if token else None
        self._wrong_tokens = RareLog("admin.wrong_token")
        self._penalties = 0
        self._networks = [ipaddress.ip_network(text) for text in settings.admin_allow]

    def check(self, environ: Mapping[str, Any]) -> Refused | None:
        """None lets a WSGI request in (RFC 6750 section 2.1)."""
        if self._token_hash is None or not self._is_near(environ.get("REMOTE_ADDR", "")):
            return Refused.NETWORK
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        # Digests have one length, so the comparison tells nothing of the token, not even its own.
        fits = hmac.compare_digest(_hash(token.strip()), self._token_hash)
        if fits and scheme.lower() == "bearer":
            return None
        if token:
            self._punish(environ)
        return Refused.TOKEN

    def _punish(self, environ: Mapping[str, Any]) -> None:
        self._wrong_tokens.warn(address=environ.get("REMOTE_ADDR", ""))
        if self._penalties < MAX_PENALTIES:
            self._penalties += 1
            try:
                gevent.sleep(PENALTY_S)
            finally:
                self._penalties -= 1

    def _is_near(self, address: str) -> bool:
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(peer, "ipv4_mapped", None) or peer
        return any(mapped in network for network in self._networks)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
