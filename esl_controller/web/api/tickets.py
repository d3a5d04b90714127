"""Short-lived tickets: a browser may watch one call of one domain, without the operator's token.

A ticket is `<expiry>.<mac>`: the MAC (HMAC-SHA-256) is over domain, scope and expiry, with a key
derived from the operator's token, so every worker that has the token can check it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from esl_controller.settings.types import Secret
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import _Answer, _Request

LONGEST_S = 300
_PURPOSE = b"voice-ai-switch ticket 1"
_TICKET = re.compile(r"([0-9]{1,12})\.([0-9A-Za-z_-]{43})")


class TicketRequest(_Request, frozen=True):
    """What may be opened, and how long."""

    scope: Annotated[
        str,
        msgspec.Meta(
            pattern="^calls/[0-9A-Za-z][0-9A-Za-z._@-]{0,254}/events$",
            max_length=300,
            description="The page, below the domain.",
            examples=["calls/4f2b1c9e-1111-4222-8333-444455556666/events"],
        ),
    ]
    seconds: Annotated[int, msgspec.Meta(ge=5, le=LONGEST_S)] = 60


class Ticket(_Answer, frozen=True):
    """Goes into the query of that page: `?ticket=…`."""

    ticket: str
    expires_at: datetime


class EventsQuery(_Request, frozen=True):
    """In place of the bearer token."""

    ticket: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z_.-]+$", max_length=100)] | None = None


def make_ticket(resources: Resources, request: Request) -> Ticket:
    """For one page of the domain in the path."""
    wanted: TicketRequest = request.body
    expires = int(datetime.now(UTC).timestamp()) + wanted.seconds
    token = resources.settings.http.admin_token
    mac = _mac(token, request.domain_uuid, wanted.scope, expires)
    return Ticket(ticket=f"{expires}.{mac}", expires_at=datetime.fromtimestamp(expires, UTC))


def admits(token: Secret, ticket: str, domain_uuid: str, scope: str, now: datetime) -> bool:
    """Whether a ticket opens this page of this domain now."""
    parts = _TICKET.fullmatch(ticket)
    if parts is None or not token:
        return False
    expires = int(parts[1])
    expected = _mac(token, domain_uuid, scope, expires)
    # Compared first, so that the time it takes tells nothing of either.
    return hmac.compare_digest(expected, parts[2]) and now.timestamp() < expires


def _mac(token: Secret, domain_uuid: str, scope: str, expires: int) -> str:
    key = hmac.digest(token.reveal().encode(), _PURPOSE, hashlib.sha256)
    text = f"{domain_uuid}\n{scope}\n{expires}".encode()
    return base64.urlsafe_b64encode(hmac.digest(key, text, hashlib.sha256)).decode().rstrip("=")
