"""A function of the tenant's own that is one HTTP request.

What the model wrote is put into the address, the query or the body by an encoder, never by joining
texts; what comes back is data, cleaned and cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from bridge.providers.conversation import Tool
from esl_controller.database.functions import OwnFunction
from esl_controller.database.models import RouteEntry
from esl_controller.services.failed import ServiceFailed
from esl_controller.services.ports import HttpResponse
from esl_controller.tenants.own_functions import placeholders, places, segments
from esl_controller.tools.base import FunctionFailed, ToolContext
from esl_controller.tools.foreign import NOT_THERE, at_pointer, clean_text, told
from esl_controller.tools.own_call import OwnCall, headers_of, own_call, without_key

MAX_ANSWER_BYTES = 128 * 1024
"""Read as JSON on the hub: the worst of so much takes two milliseconds."""
MAX_REFUSAL = 300
"""Characters of what the other side says when it refuses."""
NO_ARGUMENTS = {"type": "object", "properties": {}}


class HttpFunction:
    """One row of `v_voice_realtime_functions`, with its key."""

    suggested: frozenset[str] = frozenset()

    def __init__(self, function: OwnFunction) -> None:
        self._row = function.row
        self._function = function
        self._places = places(function.row)
        # The request ends before the runner's deadline: its words say whether something was sent.
        self.deadline_s: float | None = function.row.timeout_seconds + 1.0
        self.repeatable = function.row.http_method == "GET"

    def describe(self, entry: RouteEntry | None = None) -> Tool:
        """As the tenant has described it."""
        row = self._row
        return Tool(row.function_name, row.description, row.parameters or NO_ARGUMENTS)

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> Mapping[str, Any]:
        """Make the request. Raises FunctionFailed with what happened, as far as it is known."""
        return self.perform(arguments, own_call(context))

    def perform(self, arguments: Mapping[str, Any], call: OwnCall) -> Mapping[str, Any]:
        """The same, for whoever tries it. Raises FunctionFailed."""
        row = self._row
        parts = self._parts({**arguments, **_known(call)})
        body = parts["body"] if row.http_method not in ("GET", "DELETE") else None
        try:
            response = call.http.request(
                row.http_method,
                address(row.url, parts["path"], parts["query"]),
                domain_uuid=call.domain_uuid,
                headers=self._headers(call),
                json=body,
                timeout_s=row.timeout_seconds,
                max_bytes=MAX_ANSWER_BYTES,
            )
        except ServiceFailed as error:
            raise failed(error, changes_something=self._changes_something) from error
        return self._result(response)

    def _parts(self, given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Path, query and body, each with what goes there."""
        parts: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "body": {}}
        for argument, place in self._places.items():
            if argument not in given or given[argument] is None:
                continue
            if place.part == "body":
                put(parts["body"], segments(place.name), given[argument])
            else:
                name = argument if place.part == "path" else place.name
                parts[place.part][name] = given[argument]
        return parts

    def _headers(self, call: OwnCall) -> dict[str, str]:
        headers = headers_of(self._function)
        if self._row.http_method != "GET" and call.idempotency_key:
            headers["Idempotency-Key"] = quote(call.idempotency_key[:200], safe=":-_.")
        return {"Accept": "application/json", **headers}

    def _result(self, response: HttpResponse) -> Mapping[str, Any]:
        row = self._row
        answer = decoded(without_key(self._function, response.body))
        if not 200 <= response.status < 300:
            said = clean_text(_text(answer), MAX_REFUSAL) or "nothing"
            raise FunctionFailed(
                f"The other system answered {response.status}: {said}",
                certain=response.status < 500 or not self._changes_something,
            )
        if not row.result_fields:
            return told(answer, row.max_result_bytes)
        found = {
            name: at_pointer(answer, segments(pointer))
            for name, pointer in row.result_fields.items()
        }
        there = {name: value for name, value in found.items() if value is not NOT_THERE}
        if not there:
            words = "The other system answered without what was asked for."
            raise FunctionFailed(words, certain=not self._changes_something)
        return told(there, row.max_result_bytes)

    @property
    def _changes_something(self) -> bool:
        return self._row.http_method != "GET"


FAILURES = {
    "refused": "This is not set up correctly, so nothing was asked of the other system.",
    "timeout": "The other system did not answer in time.",
    "unreachable": "The other system cannot be reached.",
    "status": "The other system refused it.",
    "too_large": "The other system's answer was too large to read.",
    "malformed": "The other system's answer could not be read.",
}


def failed(error: ServiceFailed, *, changes_something: bool = True) -> FunctionFailed:
    """What the model is told, and what the operator."""
    certain = not (changes_something and error.may_have_arrived)
    words = FAILURES.get(error.reason, FAILURES["malformed"])
    return FunctionFailed(words, why=f"{error.reason}: {error.words}", certain=certain)


def address(template: str, path: Mapping[str, Any], query: Mapping[str, Any]) -> str:
    """The address with its arguments. Raises FunctionFailed for one that would change the path."""
    base, _, fixed = template.partition("?")
    for name in placeholders(base):
        base = base.replace(f"{{{name}}}", _segment(name, path.get(name)))
    pairs = [(name, _scalar(name, one)) for name, value in query.items() for one in _each(value)]
    asked = "&".join(filter(None, [fixed, urlencode(pairs)]))
    return f"{base}?{asked}" if asked else base


def _segment(name: str, value: Any) -> str:
    """Encoded, and still one segment to those who decode before they look."""
    text = "" if value is None else _scalar(name, value)
    if not text or set(text) <= {"."} or set(text) & {"/", "\\", "%", "\x00"} or len(text) > 200:
        raise FunctionFailed(
            f"{name} cannot be used: it must be one word or number, without / and %"
        )
    return quote(text, safe="")


def _scalar(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return msgspec.json.encode(value).decode()


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def put(body: dict[str, Any], names: list[str], value: Any) -> None:
    """Set what a JSON Pointer names, and make the objects on the way."""
    for name in names[:-1]:
        inner = body.setdefault(name, {})
        if not isinstance(inner, dict):
            return  # another argument is there already: the row's own contradiction
        body = inner
    if names:
        body[names[-1]] = value


def decoded(body: bytes) -> Any:
    """JSON, else text."""
    try:
        return msgspec.json.decode(body) if body else ""
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return body.decode(errors="replace")


def _text(answer: Any) -> str:
    return answer if isinstance(answer, str) else msgspec.json.encode(answer).decode()


def _known(call: OwnCall) -> dict[str, Any]:
    return {"$caller_number": call.caller_number, "$conversation_uuid": call.conversation_uuid}
