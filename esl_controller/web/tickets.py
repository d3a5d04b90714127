"""Short-lived tickets: what a browser has in place of the operator's token.

A ticket is `<expiry>.<nonce>.<mac>`, and `.<actor>` in Base64 where it names one: the MAC
(HMAC-SHA-256) is over domain, scope, expiry, nonce and actor, with a key derived from the
operator's token, so every worker that has the token can check it and nothing is stored.
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
MAX_ACTOR_BYTES = 255
_PURPOSE = b"voice-ai-switch ticket 3"
_TICKET = re.compile(
    r"([0-9]{1,12})\.([0-9A-Za-z_-]{22})\.([0-9A-Za-z_-]{43})(?:\.([0-9A-Za-z_-]{1,400}))?"
)


def new_ticket(
    token: Secret, domain_uuid: str, scope: str, expires: int, actor: str | None = None
) -> str:
    """One unlike any other; `expires` is Unix time, `actor` whom the audit names."""
    nonce = secrets.token_urlsafe(16)
    named = "" if actor is None else _base64(actor.encode()[:MAX_ACTOR_BYTES])
    mac = _mac(token, domain_uuid, scope, expires, nonce, named)
    return ".".join(filter(None, (str(expires), nonce, mac, named)))


def admits(token: Secret, ticket: str, domain_uuid: str, scope: str, now: datetime) -> str | None:
    """Whom a ticket names that opens this page of this domain now, perhaps nobody; else None."""
    parts = _TICKET.fullmatch(ticket)
    if parts is None or not token:
        return None
    expires, actor = int(parts[1]), parts[4] or ""
    expected = _mac(token, domain_uuid, scope, expires, parts[2], actor)
    # Compared first, so that the time it takes tells nothing of either.
    if not (hmac.compare_digest(expected, parts[3]) and now.timestamp() < expires):
        return None
    padded = actor + "=" * (-len(actor) % 4)
    return base64.urlsafe_b64decode(padded).decode("utf-8", "ignore")


def _mac(token: Secret, domain_uuid: str, scope: str, expires: int, nonce: str, actor: str) -> str:
    key = hmac.digest(token.reveal().encode(), _PURPOSE, hashlib.sha256)
    text = f"{domain_uuid}\n{scope}\n{expires}\n{nonce}\n{actor}".encode()
    return _base64(hmac.digest(key, text, hashlib.sha256))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
