"""Handlers: what is removed because somebody asked for it. It cannot be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated

import msgspec

from esl_controller.record.recordings import Recordings
from esl_controller.record.retention import erase_caller, erase_conversation
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.problems import Problem, not_found
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import _Answer, _Request


class EraseCallerRequest(_Request, frozen=True):
    """Whose conversations go."""

    caller: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """The number, however it is written: its digits count."""


class Erased(_Answer, frozen=True):
    """How much of what was removed, and what could not be."""

    removed: Mapping[str, int]
    going_on: int
    """Conversations that have not ended stay: ask again afterwards."""
    elsewhere: Sequence[str]
    """Where more of it may be that is not ours to remove."""


def erase_one(resources: Resources, request: Request) -> Erased:
    """A conversation with its turns, functions and transfers; what it cost stays."""
    key = request.path["conversation_uuid"]
    with resources.gates.through(Gate.READ):
        report = erase_conversation(
            resources.pool, request.domain_uuid, key, _recordings(resources)
        )
    if report.going_on:
        raise Problem(HTTPStatus.CONFLICT, "going-on", "the conversation has not ended")
    if not report.removed["conversations"]:
        raise not_found("conversation")
    return Erased(removed=report.removed, going_on=0, elsewhere=report.elsewhere)


def erase_all_of_caller(resources: Resources, request: Request) -> Erased:
    """Every conversation of the domain with one number."""
    wanted: EraseCallerRequest = request.body
    with resources.gates.through(Gate.READ):
        report = erase_caller(
            resources.pool, request.domain_uuid, wanted.caller, _recordings(resources)
        )
    return Erased(removed=report.removed, going_on=report.going_on, elsewhere=report.elsewhere)


def _recordings(resources: Resources) -> Recordings:
    return Recordings(resources.settings.freeswitch.recordings_dir)
