"""Routes of the interface: how a request finds its handler, and what it must look like."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPMethod, HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec.inspect import IntType

from esl_controller.web.api.fields import CallUuid, Extension, Uuid
from esl_controller.web.api.problems import Problem, invalid, not_found
from esl_controller.web.api.resources import Resources

MAX_BODY_BYTES = 16_384
MAX_QUERY_BYTES = 2_000
MAX_QUERY_FIELDS = 16

PARAMETERS: dict[str, Any] = {
    "domain_uuid": Uuid,
    "conversation_uuid": Uuid,
    "provider_uuid": Uuid,
    "secretary_uuid": Uuid,
    "test_call_uuid": Uuid,
    "outbound_uuid": Uuid,
    "function_uuid": Uuid,
    "document_uuid": Uuid,
    "errand_uuid": Uuid,
    "call_uuid": CallUuid,
    "extension": Extension,
}
"""Parts of paths, by name."""
_PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Request:
    """A request that fits its route. UUIDs of the path are lower case."""

    path: Mapping[str, str]
    query: Any = None
    body: Any = None
    last_event_id: str = ""
    byte_range: str = ""
    """The header `Range`."""
    actor: str = ""
    """Whom a ticket was made for; empty for who has the token."""
    domain_name: str = ""
    """Of the domain in the path, which exists."""
    language: str = "en"
    """What sentences about rows are told in: one of `words.told.LANGUAGES`."""
    forwarded: bool = False
    """Another worker asks, and has looked for the call itself."""

    @property
    def domain_uuid(self) -> str:
        """Whose data it is about."""
        return self.path["domain_uuid"]


Handler = Callable[[Resources, Request], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. Its types are checked at run time, and make the document."""

    method: HTTPMethod
    path: str
    handler: Handler
    summary: str
    answer: Any
    """Type of the JSON answer, or a media type."""
    query: type | None = None
    body: type | None = None
    problems: Sequence[HTTPStatus] = ()
    """What can go wrong besides what can go wrong everywhere."""
    success: HTTPStatus = HTTPStatus.OK
    max_body_bytes: int = MAX_BODY_BYTES
    description: str = ""
    """What the summary leaves out."""
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        pattern = re.compile(_PART.sub(r"(?P<\1>[^/]+)", self.path))
        object.__setattr__(self, "pattern", pattern)

    @property
    def takes_ticket(self) -> bool:
        """Whether it may be opened with a ticket in place of the token."""
        return self.query is not None and "ticket" in self.query.__annotations__

    @property
    def parameters(self) -> list[str]:
        """Names of the path's parts, in order."""
        return _PART.findall(self.path)


def find_route(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route of a request and the parts of its path. Raises Problem 404 or 405."""
    matching = [(route, found) for route in routes if (found := route.pattern.fullmatch(path))]
    if not matching:
        raise not_found("page")
    # A name that is written out goes before a part that would take it.
    fewest = min(len(route.parameters) for route, _ in matching)
    matching = [(route, found) for route, found in matching if len(route.parameters) == fewest]
    wanted = "GET" if method == "HEAD" else method
    for route, found in matching:
        if route.method == wanted:
            return route, {name: _part(name, text) for name, text in found.groupdict().items()}
    allowed = {str(route.method) for route, _ in matching}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    raise Problem(
        HTTPStatus.METHOD_NOT_ALLOWED,
        "method-not-allowed",
        headers=[("Allow", ", ".join(sorted(allowed)))],
    )


def _part(name: str, text: str) -> str:
    try:
        msgspec.convert(text, PARAMETERS[name])
    except msgspec.ValidationError:
        raise not_found(name) from None
    return text.lower() if PARAMETERS[name] is Uuid else text


def read_query(wanted: type | None, text: str) -> Any:
    """The query as `wanted`. Raises Problem 422 for anything else, also for fields given twice."""
    if len(text) > MAX_QUERY_BYTES:
        raise invalid("the query is too long")
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS, errors="strict"
        )
    except ValueError:  # also what is no UTF-8
        raise invalid("the query cannot be read") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise invalid("a field of the query is given twice")
    if wanted is None:
        if fields:
            raise invalid("this page takes no query")
        return None
    try:
        return msgspec.convert(_with_numbers(fields, wanted), wanted)
    except msgspec.ValidationError as error:
        raise invalid("the query is wrong", [str(error)]) from None


def _with_numbers(fields: dict[str, str], wanted: type) -> dict[str, str | int]:
    """Digits as numbers where a number is wanted.

    msgspec's own lax conversion would also take `null` for None and `5` for a time in 1970.
    """
    return {
        name: int(text) if name in _number_names(wanted) and _is_decimal(text) else text
        for name, text in fields.items()
    }


@functools.cache
def _number_names(wanted: type) -> frozenset[str]:
    described = msgspec.inspect.type_info(wanted)
    assert isinstance(described, msgspec.inspect.StructType)
    numbers = (field for field in described.fields if isinstance(field.type, IntType))
    return frozenset(field.encode_name for field in numbers)


def _is_decimal(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20


def read_body(wanted: type, content: bytes) -> Any:
    """The body as `wanted`. Raises Problem 400 for what is no JSON, 422 for what does not fit."""
    try:
        return msgspec.json.decode(content, type=wanted)
    except msgspec.ValidationError as error:
        raise invalid("the body is wrong", [str(error)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(HTTPStatus.BAD_REQUEST, "no-json", "the body is no JSON") from None
