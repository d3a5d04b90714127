"""Short-lived tickets: what a browser has in place of the operator's token.

A ticket is `<expiry>.<nonce>.<mac>`: the MAC (HMAC-SHA-256) is over domain, scope, expiry and
nonce, with a key derived from the operator's token, so every worker that has the token can check
it and nothing is stored.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime

from esl_controller.settings.types import Secret

LONGEST_S = 300
_PURPOSE = b"voice-ai-switch ticket 2"
_TICKET = re.compile(r"([0-9]{1,12})\.([0-9A-Za-z_-]{22})\.([0-9A-Za-z_-]{43})")


def new_ticket(token: Secret, domain_uuid: str, scope: str, expires: int) -> str:
    """One unlike any other; `expires` is Unix time."""
    nonce = secrets.token_urlsafe(16)
    return f"{expires}.{nonce}.{_mac(token, domain_uuid, scope, expires, nonce)}"


def admits(token: Secret, ticket: str, domain_uuid: str, scope: str, now: datetime) -> bool:
    """Whether a ticket opens this page of this domain now."""
    parts = _TICKET.fullmatch(ticket)
    if parts is None or not token:
        return False
    expires = int(parts[1])
    expected = _mac(token, domain_uuid, scope, expires, parts[2])
    # Compared first, so that the time it takes tells nothing of either.
    return hmac.compare_digest(expected, parts[3]) and now.timestamp() < expires


def _mac(token: Secret, domain_uuid: str, scope: str, expires: int, nonce: str) -> str:
    key = hmac.digest(token.reveal().encode(), _PURPOSE, hashlib.sha256)
    text = f"{domain_uuid}\n{scope}\n{expires}\n{nonce}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, text, hashlib.sha256)).decode().rstrip("=")
