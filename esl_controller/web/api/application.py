"""The WSGI application below /api/v1: who may come in, limits, and one shape of answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import msgspec
import structlog

from esl_controller.database.pool import DatabaseError
from esl_controller.database.repository import tenants
from esl_controller.telemetry import catalogue as m
from esl_controller.telemetry.metrics import Metrics
from esl_controller.web.access import CHALLENGE, HEADERS, AdminDoor, Refused
from esl_controller.web.api import openapi
from esl_controller.web.api.problems import Problem, not_found, unavailable
from esl_controller.web.api.reply import Reply
from esl_controller.web.api.resources import Resources
from esl_controller.web.api.routing import (
    MAX_QUERY_BYTES,
    Request,
    Route,
    find_route,
    read_body,
    read_query,
)
from esl_controller.web.tickets import admits
from esl_controller.web.words.told import preferred

PREFIX = "/api/v1"
DOCUMENT_PATH = "/openapi.json"
MAX_RANGE = 64
BY_TICKET = "ticket"
"""Who acts with a ticket that names nobody."""
_OF_DOMAIN = re.compile(r"/domains/([^/]+)/(.+)")
_log = structlog.get_logger("api")

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class Api:
    """The interface of one worker."""

    def __init__(
        self, door: AdminDoor, resources: Resources, routes: Sequence[Route], metrics: Metrics
    ) -> None:
        self._door = door
        self._resources = resources
        self._routes = routes
        self._metrics = metrics
        self._document = msgspec.json.encode(openapi.document(routes, PREFIX))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        reply = self._safely_answered(environ)
        self._metrics.count(m.API_REQUESTS, f"{reply.status.value // 100}xx")
        headers = [("Content-Type", reply.content_type), *HEADERS, *reply.headers]
        pieces = [reply.body] if isinstance(reply.body, bytes) else reply.body
        if isinstance(reply.body, bytes):
            headers.append(("Content-Length", str(len(reply.body))))
        if environ["REQUEST_METHOD"] == "HEAD":
            getattr(pieces, "close", _nothing)()
            pieces = [b""]
        start_response(f"{reply.status.value} {reply.status.phrase}", headers)
        return pieces

    def _safely_answered(self, environ: Environ) -> Reply:
        language = preferred(environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        try:
            return self._answered(environ, language)
        except Problem as problem:
            return problem.reply(language)
        except DatabaseError as error:
            _log.warning("api.database_failed", error=str(error))
            return unavailable("database", "the database does not answer").reply(language)
        except Exception:  # noqa: BLE001 - boundary: errors of ours have the one shape too
            _log.exception("api.request_failed", path=environ.get("PATH_INFO"))
            return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error").reply(language)

    def _answered(self, environ: Environ, language: str) -> Reply:
        ticket = self._door_passed(environ)
        path = _path(environ)
        actor = "" if ticket is None else self._required_ticket(path, ticket)
        if path == DOCUMENT_PATH and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return Reply(HTTPStatus.OK, self._document)
        route, parts = find_route(self._routes, environ["REQUEST_METHOD"], path)
        if ticket is not None and not route.takes_ticket:
            raise _unauthorized()
        request = Request(
            parts,
            query=read_query(route.query, environ.get("QUERY_STRING", "")),
            body=_body(route, environ),
            last_event_id=environ.get("HTTP_LAST_EVENT_ID", ""),
            actor=actor,
            language=language,
            byte_range=environ.get("HTTP_RANGE", "")[:MAX_RANGE],
            forwarded="HTTP_X_VOICE_AI_FORWARDED" in environ,
            domain_name=self._domain_name(parts["domain_uuid"]) if parts else "",
        )
        answer = route.handler(self._resources, request)
        if isinstance(answer, Reply):
            return answer
        return Reply(route.success, msgspec.json.encode(answer))

    def _door_passed(self, environ: Environ) -> str | None:
        """None for who has the token; the ticket of who has none, still to be checked."""
        refused = self._door.check(environ)
        if refused is Refused.NETWORK:
            raise Problem(HTTPStatus.FORBIDDEN, "forbidden", "closed, or closed to this address")
        if refused is None:
            return None
        query: str = environ.get("QUERY_STRING", "")[:MAX_QUERY_BYTES]
        found = parse_qs(query).get("ticket")
        if not found:
            raise _unauthorized()
        return found[0]

    def _required_ticket(self, path: str, ticket: str) -> str:
        """It opens one page of one domain, for a while. Whom it names; raises Problem 401."""
        domain = _OF_DOMAIN.fullmatch(path)
        token = self._resources.settings.http.admin_token
        now = datetime.now(UTC)
        if domain is None:
            raise _unauthorized()
        actor = admits(token, ticket, domain[1].lower(), domain[2], now)
        if actor is None:
            raise _unauthorized()
        return actor or BY_TICKET

    def _domain_name(self, domain_uuid: str) -> str:
        with self._resources.reading() as connection:
            name = tenants.find_domain_name(connection, domain_uuid)
        if name is None:
            raise not_found("domain")
        return name


def _unauthorized() -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED, "unauthorized", "a bearer token is needed", headers=[*CHALLENGE]
    )


def _path(environ: Environ) -> str:
    """What comes after the prefix, decoded (WSGI hands over bytes as Latin-1)."""
    try:
        path: str = environ["PATH_INFO"].encode("latin-1").decode()
    except UnicodeError:
        raise not_found("page") from None
    if not path.startswith(PREFIX + "/"):
        raise not_found("page")
    return path.removeprefix(PREFIX)


def _body(route: Route, environ: Environ) -> Any:
    """The body, read whole within the limit; its bytes are not read when it is refused."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if environ.get("HTTP_TRANSFER_ENCODING"):
        raise _refused_body(HTTPStatus.LENGTH_REQUIRED, "a body needs its Content-Length")
    if not (length.isascii() and length.isdecimal()):
        raise _refused_body(HTTPStatus.BAD_REQUEST, "Content-Length is no number")
    limit = route.max_body_bytes if route.body is not None else 0
    if int(length[:20]) > limit:
        raise _refused_body(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {limit} bytes")
    if route.body is None:
        return None
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise _refused_body(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "application/json is wanted")
    return read_body(route.body, _read(environ, int(length)))


def _read(environ: Environ, length: int) -> bytes:
    try:
        content: bytes = environ["wsgi.input"].read(length)
    except OSError as error:  # TimeoutError is one
        raise _refused_body(HTTPStatus.REQUEST_TIMEOUT, "the body did not come") from error
    if len(content) < length:
        raise _refused_body(HTTPStatus.BAD_REQUEST, "the body ended early")
    return content


def _refused_body(status: HTTPStatus, detail: str) -> Problem:
    kind = status.phrase.lower().replace(" ", "-")
    # What is left of the body is not read, so the connection cannot be used again.
    return Problem(status, kind, detail, headers=[("Connection", "close")])


def _nothing() -> None:
    """There is nothing to close."""
