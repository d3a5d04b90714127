"""Handlers: what is still to be delivered, and what was given up: shown, sent again, dropped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Literal

from esl_controller.database.acts import QueuedErrand
from esl_controller.database.pool import GreenConnection
from esl_controller.database.repository import conversations, errands
from esl_controller.record.audit import audit_of_errand
from esl_controller.web.api.actions import BY_TOKEN, Actor
from esl_controller.web.api.fields import Uuid
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.problems import Problem, not_found
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import Removed, _Answer, _Request

State = Literal["queued", "running", "delivered", "dead"]


class ErrandQuery(_Request, frozen=True):
    """Which errands."""

    state: State | None = None
    conversation_uuid: Uuid | None = None


class ErrandActQuery(_Request, frozen=True):
    """Who does it."""

    actor: Actor | None = None


class ErrandRow(_Answer, frozen=True):
    """One errand."""

    errand: QueuedErrand


class ErrandRows(_Answer, frozen=True):
    """Newest first; at most 500. Without payloads: one errand is shown with its own."""

    errands: Sequence[QueuedErrand]


def list_errands(resources: Resources, request: Request) -> ErrandRows:
    """Of the domain."""
    query: ErrandQuery = request.query
    with resources.reading() as connection:
        rows = errands.list_errands(
            connection,
            request.domain_uuid,
            state=query.state,
            conversation_uuid=query.conversation_uuid,
        )
    return ErrandRows(errands=[replace(row, payload={}, result=None) for row in rows])


def show_errand(resources: Resources, request: Request) -> ErrandRow:
    """One of them, with what it carries."""
    with resources.reading() as connection:
        return ErrandRow(errand=_found(connection, request))


def send_errand_again(resources: Resources, request: Request) -> ErrandRow:
    """Now, with a new time limit."""
    return ErrandRow(errand=_act(resources, request, "errand_retry", errands.send_again))


def drop_errand(resources: Resources, request: Request) -> Removed:
    """It will not be delivered."""
    dropped = _act(resources, request, "errand_drop", errands.drop)
    return Removed(removed=dropped.errand_uuid)


def _act(
    resources: Resources,
    request: Request,
    action: str,
    do: Callable[[GreenConnection, str, str], bool],
) -> QueuedErrand:
    """Do it together with its audit row: both, or neither."""
    query: ErrandActQuery = request.query
    domain_uuid, key = request.domain_uuid, request.path["errand_uuid"]
    with resources.gates.through(Gate.ACT), resources.pool.connection() as connection:
        found = _found(connection, request)
        if not do(connection, domain_uuid, key):
            raise Problem(HTTPStatus.CONFLICT, "not-waiting", f"it is {found.state}")
        actor = request.actor or query.actor or BY_TOKEN
        row = audit_of_errand(connection, found, actor, action, resources.worker)
        conversations.store(connection, domain_uuid, row)
    return replace(found, state="queued")


def _found(connection: GreenConnection, request: Request) -> QueuedErrand:
    found = errands.find(connection, request.domain_uuid, request.path["errand_uuid"])
    if found is None:
        raise not_found("errand")
    return found
