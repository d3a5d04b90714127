"""What is refused before anything is looked up, called as WSGI calls it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus
from typing import Any

import pytest

from esl_controller.database.pool import DatabaseUnavailable
from esl_controller.database.repository import tenants
from esl_controller.settings.table import Http
from esl_controller.settings.types import Secret
from esl_controller.telemetry.catalogue import API_REQUESTS
from esl_controller.telemetry.metrics import Metrics
from esl_controller.web.access import AdminDoor
from esl_controller.web.api.application import Api
from esl_controller.web.api.problems import CONTENT_TYPE, Problem
from esl_controller.web.api.reply import Reply
from esl_controller.web.api.routing import MAX_BODY_BYTES, Route
from esl_controller.web.api.schemas import PublicKey, SealRequest

TOKEN = "a-token-of-24-characters"
DOMAIN = "0a6c2d7e-58d7-4c36-9f5e-111111111111"


class Stream:
    """A body in pieces."""

    closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield b"piece"

    def close(self) -> None:
        self.closed = True


@dataclass
class Resources:
    """What handlers get: here only whether the database answers."""

    away: bool = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        if self.away:
            raise DatabaseUnavailable("password=hunter2 in the text of libpq")
        yield None


STREAM = Stream()


def fail(*_: Any) -> None:
    raise ZeroDivisionError("secret detail")


def refuse(*_: Any) -> None:
    raise Problem(HTTPStatus.CONFLICT, "not-now", "later")


def key(*_: Any) -> PublicKey:
    return PublicKey(key_id="k", public_key="p")


ROUTES = [
    Route(HTTPMethod.GET, "/domains/{domain_uuid}/key", key, "", PublicKey),
    Route(HTTPMethod.GET, "/domains/{domain_uuid}/fail", fail, "", PublicKey),
    Route(HTTPMethod.GET, "/domains/{domain_uuid}/refuse", refuse, "", PublicKey),
    Route(
        HTTPMethod.GET,
        "/domains/{domain_uuid}/stream",
        lambda *_: Reply(HTTPStatus.OK, STREAM, "text/event-stream"),
        "",
        "text/event-stream",
    ),
    Route(HTTPMethod.POST, "/domains/{domain_uuid}/key", key, "", PublicKey, body=SealRequest),
]


@pytest.fixture(autouse=True)
def one_domain(monkeypatch):
    names = {DOMAIN: "example.com"}
    monkeypatch.setattr(tenants, "find_domain_name", lambda _, domain: names.get(domain))


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        assert self.headers["Content-Type"] == CONTENT_TYPE
        details = json.loads(self.body)
        assert details["status"] == self.status
        return details["type"].removeprefix("urn:voice-ai:problem:")


@pytest.fixture(autouse=True)
def _no_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esl_controller.web.access.PENALTY_S", 0.0)


def ask(
    page: str,
    *,
    method: str = "GET",
    token: str | None = TOKEN,
    body: bytes | None = None,
    away: bool = False,
    metrics: Metrics | None = None,
    **environ: Any,
) -> Answer:
    door = AdminDoor(Http(admin_token=Secret(TOKEN)))
    api = Api(door, Resources(away), ROUTES, metrics or Metrics())  # type: ignore[arg-type]
    request = {
        "REQUEST_METHOD": method,
        "PATH_INFO": page if page.startswith("/") else f"/api/v1/domains/{DOMAIN}/{page}",
        "REMOTE_ADDR": "127.0.0.1",
    }
    if token is not None:
        request["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    if body is not None:
        request |= {
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/json",
            "wsgi.input": io.BytesIO(body),
        }
    started: list[Any] = []
    pieces = api(request | environ, lambda status, headers: started.append((status, headers)))
    content = b"".join(pieces)
    ((status, headers),) = started
    return Answer(int(status.split(" ")[0]), dict(headers), content)


def test_an_answer_is_json_and_not_kept():
    answer = ask("key")
    assert (answer.status, json.loads(answer.body)) == (200, {"key_id": "k", "public_key": "p"})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Length"] == str(len(answer.body))


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", TOKEN.upper()])
def test_without_the_token_nothing_is_told_not_even_what_exists(token):
    for page in ("key", "nothing", "/api/v1/openapi.json"):
        answer = ask(page, token=token)
        assert (answer.status, answer.kind) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_another_network_is_refused_with_the_right_token():
    assert ask("key", REMOTE_ADDR="192.0.2.1").kind == "forbidden"


@pytest.mark.parametrize(
    "page",
    [
        "/api/v1",
        "/api/v1/",
        "/api/v2/domains",
        "/api/v1/domains/\xff/key",
        "nothing",
        "/api/v1/domains/0a6c2d7e-58d7-4c36-9f5e-222222222222/key",
    ],
)
def test_what_is_not_there_is_not_found(page):
    assert (ask(page).status, ask(page).kind) == (404, "not-found")


def test_a_method_that_is_not_there_is_told():
    answer = ask("fail", method="POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_head_has_the_headers_and_no_body():
    answer = ask("key", method="HEAD")
    assert answer.body == b""
    assert int(answer.headers["Content-Length"]) > 0


def test_head_of_a_stream_closes_it():
    STREAM.closed = False
    assert ask("stream", method="HEAD").body == b""
    assert STREAM.closed


def test_a_stream_is_sent_piece_by_piece():
    answer = ask("stream")
    assert answer.body == b"piece"
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({"CONTENT_TYPE": "text/plain"}, 415),
        ({"CONTENT_TYPE": ""}, 415),
        ({"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)}, 413),
        ({"CONTENT_LENGTH": "9" * 40}, 413),
        ({"CONTENT_LENGTH": "-1"}, 400),
        ({"CONTENT_LENGTH": "¹"}, 400),
        ({"CONTENT_LENGTH": "100"}, 400),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, 411),
    ],
)
def test_a_body_that_is_not_read_ends_the_connection(environ, status):
    answer = ask("key", method="POST", body=b'{"key": "k"}', **environ)
    assert answer.status == status
    assert answer.kind
    assert answer.headers["Connection"] == "close"


def test_a_body_where_none_belongs_is_refused():
    assert ask("key", body=b"{}").status == 413


def test_a_body_that_does_not_come_is_a_timeout():
    class Slow(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise TimeoutError("request not complete in time")

    answer = ask("key", method="POST", body=b"{}", **{"wsgi.input": Slow()})
    assert (answer.status, answer.kind) == (408, "request-timeout")


def test_a_good_body_is_taken():
    assert ask("key", method="POST", body=b'{"key": "k"}').status == 200


def test_errors_of_ours_have_the_one_shape_and_tell_nothing():
    answer = ask("fail")
    assert (answer.status, answer.kind) == (500, "internal-error")
    assert b"secret" not in answer.body


def test_a_database_away_is_said_without_its_text():
    answer = ask("key", away=True)
    assert (answer.status, answer.kind) == (503, "database-unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert b"hunter2" not in answer.body


def test_a_refusal_of_a_handler_is_passed_on():
    answer = ask("refuse")
    assert (answer.status, answer.kind) == (409, "not-now")
    assert json.loads(answer.body)["detail"] == "later"


def test_answers_are_counted_by_class():
    metrics = Metrics()
    for page in ("key", "nothing", "fail"):
        ask(page, metrics=metrics)
    text = metrics.exposition().decode()
    for status in ("2xx", "4xx", "5xx"):
        assert f'{API_REQUESTS.name}{{status="{status}"}} 1.0' in text
