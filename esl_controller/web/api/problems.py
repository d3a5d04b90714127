"""Errors of the interface, in one shape: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

import msgspec

from esl_controller.web.api.remarks import FieldRemark
from esl_controller.web.api.reply import Header, Reply
from esl_controller.web.words.told import told

CONTENT_TYPE = "application/problem+json"


class ProblemDetails(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong. `type` tells kinds apart; `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str = ""
    problems: Sequence[str] = ()
    """Each thing that is wrong, where it can be several."""
    fields: Sequence[FieldRemark] = ()
    """The same of a row, field by field."""


class Problem(Exception):
    """Ends a request with an error. No text of it may hold a secret."""

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str = "",
        *,
        problems: Sequence[str] = (),
        fields: Sequence[FieldRemark] = (),
        headers: Sequence[Header] = (),
    ) -> None:
        super().__init__(f"{status.value} {kind}: {detail}")
        self.status = status
        self.details = ProblemDetails(
            type=f"urn:voice-ai:problem:{kind}",
            title=status.phrase,
            status=status.value,
            detail=detail,
            problems=tuple(problems),
            fields=tuple(fields),
        )
        self._headers = tuple(headers)

    def reply(self, language: str) -> Reply:
        """The answer to send, in the language asked for as far as it is known in it."""
        said = self.details
        details = msgspec.structs.replace(
            said,
            detail=told(said.detail, language),
            problems=tuple(told(one, language) for one in said.problems),
        )
        body = msgspec.json.encode(details)
        return Reply(self.status, body, CONTENT_TYPE, self._headers)


def not_found(what: str) -> Problem:
    """The same for what does not exist and for what is another domain's."""
    return Problem(HTTPStatus.NOT_FOUND, "not-found", f"no such {what}")


def invalid(
    detail: str, problems: Sequence[str] = (), fields: Sequence[FieldRemark] = ()
) -> Problem:
    """Well-formed, but not allowed."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return Problem(status, "invalid-request", detail, problems=problems, fields=fields)


def too_many(what: str, retry_after_s: int) -> Problem:
    """A limit on things done at once is reached."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "too-many-requests",
        f"too many {what} at once",
        headers=[("Retry-After", str(retry_after_s))],
    )


def unavailable(what: str, detail: str) -> Problem:
    """Something we depend on is away."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"{what}-unavailable",
        detail,
        headers=[("Retry-After", "2")],
    )
