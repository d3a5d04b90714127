"""The OpenAPI 3.1 document, made from the routes and their types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from esl_controller import __version__
from esl_controller.database.models import FunctionCallRecord, TransferRecord, Turn
from esl_controller.web.api.problems import CONTENT_TYPE, ProblemDetails
from esl_controller.web.api.routing import PARAMETERS, Route
from esl_controller.web.api.schemas import LiveConversation

_REF = "#/components/schemas/{name}"
_JSON = "application/json"
_ALWAYS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What can go wrong with every operation."""
_WITH_BODY = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.LENGTH_REQUIRED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)
_EVENTS: dict[str, type] = {
    "conversation": LiveConversation,
    "turn": Turn,
    "function_call": FunctionCallRecord,
    "transfer": TransferRecord,
    "end": LiveConversation,
}
"""Server-sent events, and what their data holds."""
_EVENTS_TEXT = (
    "Server-sent events. A row comes again when it has changed. The stream ends after `end`; do "
    "not connect again then."
)


def document(routes: Sequence[Route], prefix: str) -> dict[str, Any]:
    """The whole document, as builtins."""
    schemas, components = msgspec.json.schema_components(_types(routes), ref_template=_REF)
    found = dict(zip(map(id, _types(routes)), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation = _operation(route, found, components)
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    used = {name: schema for name, schema in components.items() if name not in _queries(routes)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Voice AI Switch",
            "version": __version__,
            "description": "For the pages of FusionPBX, on a worker's media port. "
            "Whoever holds the token sees every domain: pages put in the user's own.",
        },
        "servers": [{"url": prefix}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": used,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "ticket": {"type": "apiKey", "in": "query", "name": "ticket"},
            },
        },
    }


def _types(routes: Iterable[Route]) -> list[Any]:
    """Every type of the table, once."""
    types: list[Any] = [ProblemDetails, *_EVENTS.values(), *PARAMETERS.values()]
    for route in routes:
        types += [kind for kind in (route.answer, route.query, route.body) if _is_type(kind)]
    return list({id(kind): kind for kind in types}.values())


def _is_type(kind: Any) -> bool:
    return kind is not None and not isinstance(kind, str)


def _queries(routes: Iterable[Route]) -> set[str]:
    return {route.query.__name__ for route in routes if route.query is not None}


def _operation(
    route: Route, found: dict[int, dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": route.handler.__name__,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": found[id(PARAMETERS[name])]}
            for name in route.parameters
        ],
        "responses": {
            str(route.success.value): _success(route, found),
            **_failures(route, found),
        },
    }
    if route.takes_ticket:
        operation["security"] = [{"token": []}, {"ticket": []}]
    if route.description:
        operation["description"] = route.description
    if route.query is not None:
        operation["parameters"] += _query(components[route.query.__name__])
    if route.body is not None:
        content = {_JSON: {"schema": found[id(route.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    if route.answer == "text/event-stream":
        operation["parameters"].append(_LAST_EVENT)
    return operation


_LAST_EVENT = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "What was seen last; sent by browsers that connect again.",
    "schema": {"type": "string"},
}


def _query(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """A parameter for each field; null stands for left out, so it is no value of its own."""
    return [
        {"name": name, "in": "query", "schema": _not_null(field)}
        for name, field in schema["properties"].items()
    ]


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    schema = {name: value for name, value in schema.items() if name != "default" or value}
    if "anyOf" in schema:
        (schema,) = [kind for kind in schema["anyOf"] if kind != {"type": "null"}]
    if None in schema.get("enum", ()):
        schema = {**schema, "enum": [value for value in schema["enum"] if value is not None]}
    return schema


def _success(route: Route, found: dict[int, dict[str, Any]]) -> dict[str, Any]:
    if route.answer == "text/event-stream":
        events = {"oneOf": [_event(kind, found) for kind in _EVENTS]}
        return {"description": _EVENTS_TEXT, "content": {route.answer: {"schema": events}}}
    if isinstance(route.answer, str):
        content = {route.answer: {"schema": {"type": "string", "format": "binary"}}}
        return {"description": "OK", "content": content}
    return {"description": "OK", "content": {_JSON: {"schema": found[id(route.answer)]}}}


def _event(kind: str, found: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """One event as its fields; the data is a line of JSON."""
    data = {
        "type": "string",
        "contentMediaType": _JSON,
        "contentSchema": found[id(_EVENTS[kind])],
    }
    properties = {"event": {"const": kind}, "id": {"type": "string"}, "data": data}
    return {"type": "object", "properties": properties, "required": ["event", "data"]}


def _failures(route: Route, found: dict[int, dict[str, Any]]) -> dict[str, Any]:
    statuses = {*_ALWAYS, *route.problems, *(_WITH_BODY if route.body is not None else ())}
    content = {CONTENT_TYPE: {"schema": found[id(ProblemDetails)]}}
    return {
        str(status.value): {"description": status.phrase, "content": content}
        for status in sorted(statuses)
    }
