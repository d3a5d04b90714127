"""Handlers: calls to be made for a domain. Any worker makes them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

import msgspec

from esl_controller.database.acts import OutboundCall
from esl_controller.database.models import RouteEntry
from esl_controller.database.pool import GreenConnection
from esl_controller.database.repository import conversations, outbound
from esl_controller.tenants.rules import ConfigError
from esl_controller.web.api.actions import BY_TOKEN, Actor
from esl_controller.web.api.fields import Extension, Instant
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.problems import Problem, invalid, not_found
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import _Answer, _Request

DEFAULT_WINDOW = timedelta(days=1)
LONGEST_AHEAD = timedelta(days=366)
Status = Literal["waiting", "calling", "done", "failed", "expired", "cancelled"]


class OutboundQuery(_Request, frozen=True):
    """Which calls."""

    status: Status | None = None


class OutboundRequest(_Request, frozen=True):
    """A call to be made."""

    extension: Extension
    """The number of the secretary who talks; nobody is called outside its hours."""
    number: Extension
    """Who is called: an extension, or whatever the domain's outbound routes take."""
    purpose: (
        Annotated[
            str,
            msgspec.Meta(
                min_length=1,
                max_length=2000,
                pattern="^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]+$",
                description="Why, for the model.",
                examples=["Confirm the appointment of 1 December at nine."],
            ),
        ]
        | None
    ) = None
    caller_id: Extension | None = None
    """Number that is shown; the domain's `outbound_caller_id` when there is none."""
    not_before: Instant | None = None
    """Now when there is none."""
    not_after: Instant | None = None
    """A day after `not_before` when there is none."""
    max_attempts: Annotated[int, msgspec.Meta(ge=1, le=10)] = 3
    actor: Actor | None = None


class OutboundRow(_Answer, frozen=True):
    """One call to be made, or made."""

    call: OutboundCall


class OutboundRows(_Answer, frozen=True):
    """Newest first; at most 500."""

    calls: Sequence[OutboundCall]


def request_call(resources: Resources, request: Request) -> OutboundRow:
    """Keep it until it is made."""
    wanted: OutboundRequest = request.body
    _require_allowed(resources, request.domain_uuid, wanted.extension)
    now = datetime.now(UTC)
    begins = max(wanted.not_before or now, now)
    ends = wanted.not_after or begins + DEFAULT_WINDOW
    if ends <= begins or ends > now + LONGEST_AHEAD:
        raise invalid("`not_after` must be after `not_before`, and within a year")
    call = OutboundCall(
        outbound_uuid=str(uuid.uuid4()),
        domain_uuid=request.domain_uuid,
        extension=wanted.extension,
        number=wanted.number,
        caller_id=wanted.caller_id,
        purpose=wanted.purpose,
        origin="api",
        requested_by=wanted.actor or BY_TOKEN,
        not_before=begins,
        not_after=ends,
        max_attempts=wanted.max_attempts,
        created_at=now,
    )
    with (
        resources.gates.through(Gate.ACT),
        resources.pool.connection(autocommit=True) as connection,
    ):
        conversations.store(connection, request.domain_uuid, call)
    return OutboundRow(call=call)


def list_outbound(resources: Resources, request: Request) -> OutboundRows:
    """Of the domain."""
    query: OutboundQuery = request.query
    with resources.reading() as connection:
        return OutboundRows(
            calls=outbound.list_calls(connection, request.domain_uuid, query.status)
        )


def show_outbound(resources: Resources, request: Request) -> OutboundRow:
    """One of them."""
    with resources.reading() as connection:
        return OutboundRow(call=_found(connection, request))


def cancel_outbound(resources: Resources, request: Request) -> OutboundRow:
    """A call that waits is not made; one going on is ended as any other."""
    domain_uuid, key = request.domain_uuid, request.path["outbound_uuid"]
    with resources.reading() as connection:
        done = outbound.cancel(connection, domain_uuid, key)
        found = _found(connection, request)
    if not done and found.status != "cancelled":
        why = f"it is {found.status}"
        raise Problem(HTTPStatus.CONFLICT, "not-waiting", why)
    return OutboundRow(call=found)


def _found(connection: GreenConnection, request: Request) -> OutboundCall:
    found = outbound.find(connection, request.domain_uuid, request.path["outbound_uuid"])
    if found is None:
        raise not_found("call")
    return found


def _require_allowed(resources: Resources, domain_uuid: str, extension: str) -> None:
    """Raise Problem 409 where no such call would ever be made."""
    try:
        entry = resources.source.load(domain_uuid, extension)
    except ConfigError as error:
        raise Problem(HTTPStatus.CONFLICT, "not-usable", "; ".join(error.problems)) from error
    if not isinstance(entry, RouteEntry):
        raise Problem(HTTPStatus.CONFLICT, "no-secretary", f"nobody speaks for {extension}")
    if not entry.tenant.outbound_max_concurrent:
        why = "the domain makes no calls: outbound_max_concurrent is 0"
        raise Problem(HTTPStatus.CONFLICT, "outbound-closed", why)
