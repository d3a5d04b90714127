"""Short-lived tickets: a browser does one thing to one call of one domain, without the token.

A ticket is `<expiry>.<mac>`, and `.<actor>` in Base64 where it names one: the MAC (HMAC-SHA-256) is
over domain, scope, expiry and actor, with a key derived from the operator's token, so every worker
that has the token can check it.
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
MAX_ACTOR_BYTES = 255
_PURPOSE = b"voice-ai-switch ticket 2"
_TICKET = re.compile(r"([0-9]{1,12})\.([0-9A-Za-z_-]{43})(?:\.([0-9A-Za-z_-]{1,400}))?")
_CALL = "calls/[0-9A-Za-z][0-9A-Za-z._@-]{0,254}/(events|listen|tell|takeover|hangup|recording)"
_CONVERSATION = "conversations/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/recording"


class TicketRequest(_Request, frozen=True):
    """What may be opened, and how long."""

    scope: Annotated[
        str,
        msgspec.Meta(
            pattern=f"^({_CALL}|{_CONVERSATION})$",
            max_length=300,
            description="The page, below the domain.",
            examples=["calls/4f2b1c9e-1111-4222-8333-444455556666/events"],
        ),
    ]
    actor: (
        Annotated[
            str,
            msgspec.Meta(
                min_length=1,
                max_length=200,
                pattern="^[^\\u0000-\\u001f\\u007f]+$",
                description="Whom the audit names for what is done with it.",
            ),
        ]
        | None
    ) = None
    seconds: Annotated[int, msgspec.Meta(ge=5, le=LONGEST_S)] = 60


class Ticket(_Answer, frozen=True):
    """Goes into the query of that page: `?ticket=…`."""

    ticket: str
    expires_at: datetime


class EventsQuery(_Request, frozen=True):
    """In place of the bearer token."""

    ticket: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z_.-]+$", max_length=600)] | None = None


def make_ticket(resources: Resources, request: Request) -> Ticket:
    """For one page of the domain in the path."""
    wanted: TicketRequest = request.body
    expires = int(datetime.now(UTC).timestamp()) + wanted.seconds
    token = resources.settings.http.admin_token
    actor = "" if wanted.actor is None else _base64(wanted.actor.encode()[:MAX_ACTOR_BYTES])
    mac = _mac(token, request.domain_uuid, wanted.scope, expires, actor)
    ticket = ".".join(filter(None, (str(expires), mac, actor)))
    return Ticket(ticket=ticket, expires_at=datetime.fromtimestamp(expires, UTC))


def admits(token: Secret, ticket: str, domain_uuid: str, scope: str, now: datetime) -> str | None:
    """Whom a ticket names that opens this page of this domain now, perhaps nobody; else None."""
    parts = _TICKET.fullmatch(ticket)
    if parts is None or not token:
        return None
    expires, actor = int(parts[1]), parts[3] or ""
    expected = _mac(token, domain_uuid, scope, expires, actor)
    # Compared first, so that the time it takes tells nothing of either.
    if not (hmac.compare_digest(expected, parts[2]) and now.timestamp() < expires):
        return None
    padded = actor + "=" * (-len(actor) % 4)
    return base64.urlsafe_b64decode(padded).decode("utf-8", "ignore")


def _mac(token: Secret, domain_uuid: str, scope: str, expires: int, actor: str) -> str:
    key = hmac.digest(token.reveal().encode(), _PURPOSE, hashlib.sha256)
    text = f"{domain_uuid}\n{scope}\n{expires}\n{actor}".encode()
    return _base64(hmac.digest(key, text, hashlib.sha256))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
