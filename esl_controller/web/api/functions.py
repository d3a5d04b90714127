"""Handlers: a domain's own functions, written by the rules of the command line, and tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from esl_controller.database.functions import OwnFunction
from esl_controller.services.failed import ServiceFailed
from esl_controller.services.offered import refresh
from esl_controller.tenants.fields import FUNCTION
from esl_controller.tenants.rules import ConfigError
from esl_controller.tenants.shown import function_shown
from esl_controller.tools.base import FunctionFailed
from esl_controller.tools.own import tried
from esl_controller.tools.own_call import OwnCall
from esl_controller.web.api.configuration import editing, validated
from esl_controller.web.api.gates import Gate
from esl_controller.web.api.keys import seal
from esl_controller.web.api.problems import invalid, not_found
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import Request
from esl_controller.web.api.rows import answer_of, answer_type, request_type, values_of
from esl_controller.web.api.schemas import Removed, Validation, _Answer
from esl_controller.web.words.told import told

_NAME = "function_uuid"

FunctionRowView = answer_type(
    FUNCTION,
    "FunctionRow",
    without=("credential", "headers"),
    key=str | None,
    header_names=list[str],
    mcp_catalogue=list[Any],
)
FunctionRequest = request_type(FUNCTION, "FunctionRequest")


class FunctionRows(_Answer, frozen=True):
    """Every function of a domain's own."""

    functions: Sequence[FunctionRowView]  # type: ignore[valid-type]  # made from the columns


class TryRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model would write."""

    arguments: dict[str, Any]
    tool: str = ""
    """Of an MCP server: which, as the model calls it; empty: its first."""


class Tried(_Answer, frozen=True):
    """What a model would be told."""

    ok: bool
    told: dict[str, Any]
    """The result."""
    error: str
    """In words for the model."""
    why: str
    """In words for the operator."""


class ToolOffered(_Answer, frozen=True):
    """One tool of an MCP server."""

    name: str
    description: str
    kept: bool
    """The model is offered it now."""


class Refreshed(_Answer, frozen=True):
    """What an MCP server offers."""

    tools: Sequence[ToolOffered]
    remarks: Sequence[str]
    """What is allowed and cannot be offered."""


def list_functions(resources: Resources, request: Request) -> FunctionRows:
    """All of a domain."""
    with editing(resources, request, FUNCTION) as editor:
        rows = editor.rows(FUNCTION)
    return FunctionRows(functions=[_view(row) for row in rows])


def show_function(resources: Resources, request: Request) -> Any:
    """One of a domain, without its key."""
    with editing(resources, request, FUNCTION) as editor:
        return _view(editor.find(FUNCTION, request.path[_NAME]))


def add_function(resources: Resources, request: Request) -> Any:
    """Store a new one; its key is sealed first."""
    values = _with_sealed_key(resources, request)
    with editing(resources, request, FUNCTION) as editor:
        return _view(editor.add(FUNCTION, values))


def change_function(resources: Resources, request: Request) -> Any:
    """Change what the body names; a key that is not named stays."""
    values = _with_sealed_key(resources, request)
    with editing(resources, request, FUNCTION) as editor:
        return _view(editor.change(FUNCTION, request.path[_NAME], values))


def remove_function(resources: Resources, request: Request) -> Removed:
    """And its key."""
    with editing(resources, request, FUNCTION) as editor:
        editor.remove(FUNCTION, request.path[_NAME])
    return Removed(removed=request.path[_NAME])


def validate_function(resources: Resources, request: Request) -> Validation:
    """A new one, as the form holds it."""
    return validated(resources, request, FUNCTION, sealed=_stands_for_a_key(request))


def validate_function_change(resources: Resources, request: Request) -> Validation:
    """A change of a stored one, as the form holds it."""
    sealed = _stands_for_a_key(request)
    return validated(resources, request, FUNCTION, request.path[_NAME], sealed=sealed)


def try_function(resources: Resources, request: Request) -> Tried:
    """Call it as a model would. What the other side says is the result, not an error of ours."""
    wanted: TryRequest = request.body
    with resources.gates.through(Gate.OUTSIDE):
        own = _own(resources, request)
        call = OwnCall(
            domain_uuid=request.domain_uuid, http=resources.systems.http, mcp=resources.systems.mcp
        )
        try:
            result = tried(own, wanted.tool, wanted.arguments, call)
        except FunctionFailed as error:
            return Tried(ok=False, told={}, error=str(error), why=error.why)
    return Tried(ok=True, told=dict(result), error="", why="")


def refresh_function(resources: Resources, request: Request) -> Refreshed:
    """Ask an MCP server for its tools and keep those that are allowed."""
    with resources.gates.through(Gate.OUTSIDE):
        own = _own(resources, request)
        try:
            offered = refresh(resources.pool, resources.systems.mcp, own)
        except ServiceFailed as error:
            said = told(f"the server was not asked: {error.words}", request.language)
            raise invalid(said) from error
    tools = [
        ToolOffered(
            name=tool["name"],
            description=str(tool["description"])[:1000],
            kept=tool["name"] in offered.kept,
        )
        for tool in offered.tools
    ]
    return Refreshed(tools=tools, remarks=[told(one, request.language) for one in offered.remarks])


def _own(resources: Resources, request: Request) -> OwnFunction:
    with resources.gates.through(Gate.READ):
        try:
            own = resources.source.load_function(request.domain_uuid, request.path[_NAME])
        except ConfigError as error:
            said = [told(one, request.language) for one in error.problems]
            raise invalid(told("the function cannot be used", request.language), said) from error
    if own is None:
        raise not_found("row")
    return own


def _view(row: Mapping[str, Any]) -> Any:
    return answer_of(FunctionRowView, function_shown(row))


def _stands_for_a_key(request: Request) -> dict[str, Any]:
    """A form is looked at with a box in place of its key, which nobody need open."""
    given = values_of(request.body).get("credential", msgspec.UNSET)
    if given is msgspec.UNSET:
        return {}
    return {"credential": "sealed:0000000000000000:form" if given else None}


def _with_sealed_key(resources: Resources, request: Request) -> dict[str, Any]:
    """What is not sealed is the key itself: it is sealed here."""
    values = values_of(request.body)
    credential = values.get("credential")
    if credential and not credential.startswith(("sealed:", "env:", "file:")):
        values["credential"] = seal(resources, request.domain_uuid, credential)
    return values
