"""Handlers: what is done to a call going on, by the worker that has it."""

from __future__ import annotations

from http import HTTPMethod

from esl_controller.web.api.forwarding import forward
from esl_controller.web.api.reply import Reply
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.schemas import CallEnding


def hang_up_call(resources: Resources, request: Request) -> CallEnding | Reply:
    """A good-bye after what is being said, then the hang-up."""
    domain_uuid, call_uuid = request.domain_uuid, request.path["call_uuid"]
    if resources.end_call(domain_uuid, call_uuid):
        return CallEnding(call_uuid=call_uuid, worker=resources.worker)
    path = f"/api/v1/domains/{domain_uuid}/calls/{call_uuid}/hangup"
    return forward(resources, request, HTTPMethod.POST, path)
