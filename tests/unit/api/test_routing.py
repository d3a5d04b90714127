"""A request is for one route or none, and fits its types or is refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from http import HTTPMethod, HTTPStatus

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from esl_controller.database.repository.pages import Position
from esl_controller.web.api.conversations import cursor_after, read_cursor
from esl_controller.web.api.probe import ProbeFailed
from esl_controller.web.api.problems import Problem
from esl_controller.web.api.routing import (
    MAX_QUERY_BYTES,
    Route,
    find_route,
    read_body,
    read_query,
)
from esl_controller.web.api.schemas import ConversationQuery, SealRequest
from esl_controller.web.api.table import ROUTES
from tests.unit.api.rows import summary

DOMAIN = "0a6c2d7e-58d7-4c36-9f5e-111111111111"


def refused(function, *arguments) -> Problem:
    with pytest.raises(Problem) as caught:
        function(*arguments)
    return caught.value


def test_parts_of_the_path_are_found_and_uuids_lowered():
    path = f"/domains/{DOMAIN.upper()}/extensions/8001/check"
    route, parts = find_route(ROUTES, "GET", path)
    assert route.path == "/domains/{domain_uuid}/extensions/{extension}/check"
    assert parts == {"domain_uuid": DOMAIN, "extension": "8001"}


def test_a_name_written_out_is_no_key():
    path = f"/domains/{DOMAIN}/secretaries/validate"
    assert find_route(ROUTES, "POST", path)[0].path.endswith("/validate")
    assert refused(find_route, ROUTES, "PATCH", path).status is HTTPStatus.METHOD_NOT_ALLOWED


def test_every_route_with_data_is_of_a_domain():
    own = [route for route in ROUTES if route.path.startswith("/domains/{domain_uuid}/")]
    others = {route.path for route in ROUTES if route not in own}
    free = {"/columns", "/registry", "/status", "/voices", "/models", "/estimate"}
    assert others - {"/calls"} == free, "no tenant's data is in these"
    (every,) = [route for route in ROUTES if route.path == "/calls"]
    assert not every.takes_ticket, "for who has the token alone"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/domains",
        f"/domains/{DOMAIN}",
        f"/domains/{DOMAIN}/calls/",
        f"/domains/{DOMAIN[:-1]}/calls",
        f"/domains/{DOMAIN}\n/calls",
        f"/domains/{DOMAIN}/calls/../events",
        f"/domains/{DOMAIN}/calls/a b/events",
        f"/domains/{DOMAIN}/extensions/%/check",
        f"//domains/{DOMAIN}/calls",
    ],
)
def test_what_is_no_page_is_not_found(path):
    assert refused(find_route, ROUTES, "GET", path).status is HTTPStatus.NOT_FOUND


@given(st.text().filter(lambda text: text not in {route.path for route in ROUTES}))
def test_no_text_is_a_page_by_accident(text):
    assume(text not in {route.path for route in ROUTES})
    assert refused(find_route, ROUTES, "GET", text).status is HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "calls", "GET, HEAD"),
        ("GET", "keys/seal", "POST"),
        ("HEAD", "keys/seal", "POST"),
        ("DELETE", "conversations", "GET, HEAD"),
    ],
)
def test_a_page_tells_its_methods(method, path, allowed):
    problem = refused(find_route, ROUTES, method, f"/domains/{DOMAIN}/{path}")
    assert problem.status is HTTPStatus.METHOD_NOT_ALLOWED
    assert ("Allow", allowed) in problem.reply("en").headers


def test_head_is_answered_where_get_is():
    route, _ = find_route(ROUTES, "HEAD", f"/domains/{DOMAIN}/calls")
    assert route.method is HTTPMethod.GET


def test_a_query_is_typed():
    query = read_query(ConversationQuery, "from=2026-11-01T00:00:00Z&limit=7&outcome=failed")
    assert query == ConversationQuery(
        from_=datetime(2026, 11, 1, tzinfo=UTC), limit=7, outcome="failed"
    )
    assert read_query(ConversationQuery, "") == ConversationQuery()


@pytest.mark.parametrize(
    "text",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=",
        "limit=1&limit=2",
        "limit=%2B1",
        "limit=1.0",
        "limit=" + "1" * 30,
        "to=null",
        "to=5",
        "from=2026-11-01",
        "from=2026-11-01T00:00:00",
        "outcome=other",
        "caller=%00",
        "extension=%27%20or%201",
        "unknown=1",
        "caller=%ff",
        "cursor=%3d",
        "&".join(f"a{n}=1" for n in range(20)),
        "caller=" + "1" * MAX_QUERY_BYTES,
    ],
)
def test_a_wrong_query_is_refused(text):
    problem = refused(read_query, ConversationQuery, text)
    assert problem.status is HTTPStatus.UNPROCESSABLE_ENTITY


def test_a_page_without_query_takes_none():
    assert read_query(None, "") is None
    assert refused(read_query, None, "a=1").status is HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 10_000, 422),
        (b'{"key": "\\ud800"}', 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"key": 1}', 422),
        (b'{"key": ""}', 422),
        (b'{"key": "has space"}', 422),
        (b'{"key": "k", "more": 1}', 422),
    ],
)
def test_a_wrong_body_is_refused(content, status):
    assert refused(read_body, SealRequest, content).status == status


@given(st.binary(max_size=64))
def test_any_bytes_are_a_body_or_a_problem(content):
    try:
        assert isinstance(read_body(SealRequest, content), SealRequest)
    except Problem as problem:
        assert problem.status in (400, 422)


def test_a_problem_never_repeats_what_was_sent():
    """A key with a blank in it must not come back in the error about it."""
    problem = refused(read_body, SealRequest, b'{"key": "sk-secret with blank"}')
    assert "secret" not in msgspec.json.encode(problem.details).decode()


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_comes_back(at, key):
    cursor = cursor_after(summary(conversation_uuid=str(key), started_at=at))
    assert read_cursor(cursor) == Position(at, str(key))
    assert read_query(ConversationQuery, f"cursor={cursor}").cursor == cursor


@given(st.text(alphabet=st.sampled_from("ABCDabcd0123_-"), min_size=1, max_size=80))
def test_any_cursor_is_a_place_or_a_problem(text):
    try:
        assert isinstance(read_cursor(text), Position)
    except Problem as problem:
        assert problem.status == 422


@pytest.mark.parametrize("text", ["2026-11-01T00:00:00 x", "2026-11-01T00:00:00+00:00 x", "é"])
def test_a_forged_cursor_is_refused(text):
    forged = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    assert refused(read_cursor, forged).status == 422


def test_a_route_knows_its_parameters():
    route = Route(HTTPMethod.GET, "/a/{domain_uuid}/b/{extension}", print, "", str)
    assert route.parameters == ["domain_uuid", "extension"]


def test_what_a_provider_says_of_a_key_is_not_passed_on():
    failure = ProbeFailed("authentication", "invalid", "Incorrect key: sk-proj-abcdef0123456789XYZ")
    assert "abcdef" not in failure.message
    assert "abcdef" not in str(failure)
