"""Handlers: what is done to a call going on, by the worker that has it; each act has its row.

The row is there before the act: what cannot be written down is not done. Its result follows through
the journal, which nobody waits for.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from http import HTTPMethod
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec

from esl_controller.calls.supervised import Act, Action, Later, Result
from esl_controller.database.acts import AuditRecord
from esl_controller.database.repository import audits, conversations, pages
from esl_controller.esl.errors import EslError
from esl_controller.record.privacy import redact
from esl_controller.tools.base import Recording
from esl_controller.web.api.fields import Extension
from esl_controller.web.api.forwarding import forward, owner_of
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.problems import not_found, unavailable
from esl_controller.web.api.reply import Reply
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import ActiveCalls, AuditView, _Answer, _Request

BY_TOKEN = "operator"
"""Who has the token and gives no name."""

Actor = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=200,
        pattern="^[^\\u0000-\\u001f\\u007f]+$",
        description="Who acts, for the audit. A ticket's own actor goes before it.",
        examples=["maria@example.com"],
    ),
]


class ActQuery(_Request, frozen=True):
    """Who does it, and with what right."""

    actor: Actor | None = None
    ticket: Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z_.-]+$", max_length=600)] | None = None


class PersonRequest(_Request, frozen=True):
    """A telephone of the domain."""

    extension: Extension


class TellRequest(_Request, frozen=True):
    """An instruction for the model. The caller does not hear it."""

    text: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=2000,
            pattern="^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]+$",
            examples=["Offer a new appointment on Tuesday."],
        ),
    ]
    respond: bool = False
    """The model says something about it at once; else it knows it from its next answer on."""


class RecordingRequest(_Request, frozen=True):
    """What is to be done to the recording."""

    wanted: Literal["start", "pause", "go_on", "stop"]


class CallAct(_Answer, frozen=True):
    """What became of an act on a call."""

    call_uuid: str
    worker: str
    """Which worker has it."""
    audit_uuid: str
    """Its row, which also tells how something that takes longer went."""
    result: Literal["done", "asked", "refused", "failed"]
    """`asked`: begun, as when a telephone is ringing. `refused`: the call is not in a state for it.
    """


def hang_up_call(resources: Resources, request: Request) -> CallAct | Reply:
    """A good-bye after what is being said, then the hang-up."""
    return _act(resources, request, Act(Action.HANGUP, _actor(request)))


def listen_to_call(resources: Resources, request: Request) -> CallAct | Reply:
    """Ring a telephone of the domain, which then hears both sides and is not heard."""
    wanted: PersonRequest = request.body
    return _act(resources, request, Act(Action.LISTEN, _actor(request), extension=wanted.extension))


def take_call_over(resources: Resources, request: Request) -> CallAct | Reply:
    """The caller goes to a number of the domain; the AI leaves the call."""
    wanted: PersonRequest = request.body
    return _act(
        resources, request, Act(Action.TAKEOVER, _actor(request), extension=wanted.extension)
    )


def tell_model(resources: Resources, request: Request) -> CallAct | Reply:
    """Whisper to the model."""
    wanted: TellRequest = request.body
    act = Act(Action.TELL, _actor(request), text=wanted.text, respond=wanted.respond)
    return _act(resources, request, act)


def change_recording(resources: Resources, request: Request) -> CallAct | Reply:
    """Start, pause, go on with or stop the recording."""
    wanted: RecordingRequest = request.body
    act = Act(Action.RECORDING, _actor(request), wanted=Recording(wanted.wanted))
    return _act(resources, request, act)


def list_audits(resources: Resources, request: Request) -> AuditView:
    """From the database, so that any worker answers."""
    domain_uuid, call_uuid = request.domain_uuid, request.path["call_uuid"]
    with resources.reading() as connection:
        return AuditView(audits=audits.list_of_call(connection, domain_uuid, call_uuid))


def list_all_active(resources: Resources, request: Request) -> ActiveCalls:
    """Every domain's: for who has the token."""
    with resources.reading() as connection:
        return ActiveCalls(calls=pages.list_all_active(connection))


def _actor(request: Request) -> str:
    query: ActQuery = request.query
    return request.actor or query.actor or BY_TOKEN


def _act(resources: Resources, request: Request, act: Act) -> CallAct | Reply:
    domain_uuid, call_uuid = request.domain_uuid, request.path["call_uuid"]
    supervision = resources.supervision
    if supervision.has(domain_uuid, call_uuid):
        do = partial(supervision.do, domain_uuid, call_uuid, act)
        return _written_down(resources, request, act, do)
    owner = owner_of(resources, request)
    if owner.away and (request.forwarded or owner.worker == resources.worker):
        return _act_away(resources, request, act, owner.extension)
    page = f"/api/v1/domains/{domain_uuid}/calls/{call_uuid}/{act.action.value}"
    path = f"{page}?actor={quote(act.actor, safe='')}"
    return forward(resources, owner, request, HTTPMethod.POST, path)


def _act_away(resources: Resources, request: Request, act: Act, extension: str) -> CallAct:
    """The caller talks with a human, if he has not hung up: FreeSWITCH knows."""
    domain_uuid, call_uuid = request.domain_uuid, request.path["call_uuid"]
    away = resources.supervision.away
    try:
        if not away.has(call_uuid):
            raise not_found("call")
        do = partial(away.do, domain_uuid, call_uuid, extension, act)
        return _written_down(resources, request, act, do)
    except EslError as error:
        raise unavailable("freeswitch", f"FreeSWITCH cannot be asked: {error}") from error


def _written_down(
    resources: Resources, request: Request, act: Act, do: Callable[[Later], Result]
) -> CallAct:
    domain_uuid, call_uuid = request.domain_uuid, request.path["call_uuid"]
    row = _row(resources, request, act)
    with (
        resources.gates.through(Gate.ACT),
        resources.pool.connection(autocommit=True) as connection,
    ):
        conversations.store(connection, domain_uuid, redact(row, personal=True))

    def decided(result: Result, error: str) -> None:
        over = datetime.now(UTC)
        after = dataclasses.replace(row, result=result.value, error=error or None, decided_at=over)
        resources.record(after, personal=True)

    try:
        result = do(decided)
    except EslError as error:
        decided(Result.FAILED, str(error)[:200])
        raise
    if result is not Result.ASKED:
        decided(result, "")
    return CallAct(
        call_uuid=call_uuid,
        worker=resources.worker,
        audit_uuid=row.audit_uuid,
        result=result.value,
    )


def _row(resources: Resources, request: Request, act: Act) -> AuditRecord:
    return AuditRecord(
        audit_uuid=str(uuid.uuid4()),
        domain_uuid=request.domain_uuid,
        call_uuid=request.path["call_uuid"],
        actor=act.actor,
        action=act.action.value,
        detail=act.detail or None,
        result=Result.ASKED.value,
        worker=resources.worker,
        acted_at=datetime.now(UTC),
    )
