"""Handler: a browser does one thing to one call of one domain, or talks to one number of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import _Answer, _Request
from esl_controller.web.tickets import LONGEST_S, new_ticket

_CALL = "calls/[0-9A-Za-z][0-9A-Za-z._@-]{0,254}/(events|listen|tell|takeover|hangup|recording)"
_CONVERSATION = "conversations/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/recording"
_TALK = "talk/[0-9A-Za-z*#+._-]{1,32}"


class TicketRequest(_Request, frozen=True):
    """What may be opened, and how long."""

    scope: Annotated[
        str,
        msgspec.Meta(
            pattern=f"^({_CALL}|{_CONVERSATION}|{_TALK})$",
            max_length=300,
            description="The page, below the domain; `talk/` and a number: one conversation.",
            examples=["calls/4f2b1c9e-1111-4222-8333-444455556666/events", "talk/8001"],
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
    ticket = new_ticket(token, request.domain_uuid, wanted.scope, expires, wanted.actor)
    return Ticket(ticket=ticket, expires_at=datetime.fromtimestamp(expires, UTC))
