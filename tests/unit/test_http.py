"""The HTTP pages, called as WSGI calls them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl_controller.settings.table import Http
from esl_controller.settings.types import Secret
from esl_controller.telemetry.catalogue import ACTIVE_SESSIONS
from esl_controller.telemetry.metrics import Metrics
from esl_controller.web.pages import MAX_PATH_BYTES, HttpPages, SessionInfo

TOKEN = "a-token-of-24-characters"


@pytest.fixture(autouse=True)
def _no_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("esl_controller.web.access.PENALTY_S", 0.0)


SESSION = SessionInfo(
    call_uuid="c", domain_uuid="d", started_at="2026-11-22T10:00:00Z", provider="openai", turns=3
)


@dataclass
class Service:
    """What the service would tell."""

    ready: bool = True
    state: str = "healthy"
    listed: list[SessionInfo] = field(default_factory=lambda: [SESSION])

    def is_ready(self) -> bool:
        return self.ready

    def status(self) -> str:
        return self.state

    def reasons(self) -> list[str]:
        return ["the database does not answer"]

    def active_sessions(self) -> int:
        return len(self.listed)

    def providers(self) -> Mapping[str, str]:
        return {"openai": "available"}

    def provider_results(self) -> Mapping[str, Mapping[str, float | int | None]]:
        return {"openai": {"last_ok_s_ago": 2.5}}

    def errands(self) -> Mapping[str, int]:
        return {"dead": 1}

    def circuits(self) -> Mapping[str, Mapping[str, int]]:
        return {"openai": {"open": 1, "half_open": 0}}

    def sessions(self) -> list[SessionInfo]:
        return self.listed


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(path: str, *, token: str = TOKEN, service: Service | None = None, **environ: Any) -> Reply:
    pages = HttpPages(Http(admin_token=Secret(token)), Metrics(), service or Service())
    return call(pages, PATH_INFO=path, **environ)


def call(pages: HttpPages, **environ: Any) -> Reply:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    request = {"REQUEST_METHOD": "GET", "REMOTE_ADDR": "127.0.0.1", **environ}
    body = b"".join(pages(request, lambda status, headers: started.append((status, headers))))
    ((status, headers),) = started
    return Reply(int(status.split(" ")[0]), dict(headers), body)


def bearer(token: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def test_health_has_the_shape_of_the_specification() -> None:
    reply = ask("/health")
    assert reply.status == 200
    assert reply.json == {
        "status": "healthy",
        "reasons": ["the database does not answer"],
        "active_sessions": 1,
        "providers": {"openai": "available"},
        "provider_results": {"openai": {"last_ok_s_ago": 2.5}},
        "circuits": {"openai": {"open": 1, "half_open": 0}},
        "errands": {"dead": 1},
    }


@pytest.mark.parametrize(("ready", "status"), [(True, 200), (False, 503)])
def test_ready_is_503_while_new_calls_are_not_welcome(ready: bool, status: int) -> None:
    reply = ask("/ready", service=Service(ready=ready, state="draining"))
    assert reply.status == status
    assert reply.json == {"ready": ready, "status": "draining"}


def test_health_stays_200_while_draining() -> None:
    """A health check that failed would have the calls killed that are being drained."""
    assert ask("/health", service=Service(ready=False, state="draining")).status == 200


def test_metrics_are_in_the_prometheus_text_format() -> None:
    metrics = Metrics()
    metrics.set(ACTIVE_SESSIONS, value=4)
    reply = call(HttpPages(Http(), metrics, Service()), PATH_INFO="/metrics")
    assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert b"\nvoice_ai_realtime_active_sessions 4.0\n" in reply.body


def test_the_text_of_metrics_is_made_once_a_second() -> None:
    now, made = [0.0], []

    class Counted(Metrics):
        def exposition(self) -> bytes:
            made.append(now[0])
            return super().exposition()

    pages = HttpPages(Http(), Counted(), Service(), clock=lambda: now[0])
    for now[0] in (0.0, 0.5, 0.99, 1.0, 1.5, 3.0):
        assert call(pages, PATH_INFO="/metrics").body
    assert made == [0.0, 1.0, 3.0]


def test_sessions_have_the_shape_of_the_specification() -> None:
    reply = ask("/admin/sessions", **bearer(TOKEN))
    assert reply.status == 200
    assert reply.json == {
        "sessions": [
            {
                "call_uuid": "c",
                "domain_uuid": "d",
                "started_at": "2026-11-22T10:00:00Z",
                "provider": "openai",
                "turns": 3,
            }
        ]
    }


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        TOKEN,
        f"Basic {TOKEN}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        "Bearer ÿ\udcff",
    ],
)
def test_admin_pages_want_the_right_token(header: str | None) -> None:
    environ = {} if header is None else {"HTTP_AUTHORIZATION": header}
    reply = ask("/admin/sessions", **environ)
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"] == 'Bearer realm="admin"'
    assert reply.headers["Connection"] == "close"
    assert reply.json == {"error": "Unauthorized"}


def test_the_scheme_of_the_token_may_be_written_in_any_case() -> None:
    assert ask("/admin/sessions", HTTP_AUTHORIZATION=f"bearer {TOKEN}").status == 200


@pytest.mark.parametrize("header", [{}, bearer(""), bearer("anything")])
def test_without_a_configured_token_admin_pages_are_closed(header: dict[str, str]) -> None:
    assert ask("/admin/sessions", token="", **header).status == 403


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("127.0.0.1", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("10.0.0.1", 403),
        ("::ffff:10.0.0.1", 403),
        ("", 403),
        ("nonsense", 403),
    ],
)
def test_admin_pages_are_for_loopback_by_default(address: str, status: int) -> None:
    assert ask("/admin/sessions", REMOTE_ADDR=address, **bearer(TOKEN)).status == status


def test_other_networks_can_be_allowed() -> None:
    settings = Http(admin_token=Secret(TOKEN), admin_allow=("10.0.0.0/8",))
    pages = HttpPages(settings, Metrics(), Service())
    environ = {"PATH_INFO": "/admin/sessions", **bearer(TOKEN)}
    assert call(pages, REMOTE_ADDR="10.1.2.3", **environ).status == 200
    assert call(pages, REMOTE_ADDR="127.0.0.1", **environ).status == 403


@pytest.mark.parametrize("path", ["/", "", "/nothing", "/health/", "/admin", "/stream/a/b"])
def test_unknown_pages_are_404(path: str) -> None:
    assert ask(path).status == 404
    assert ask(path).json == {"error": "Not Found"}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_pages_are_read_only(method: str) -> None:
    reply = ask("/health", REQUEST_METHOD=method)
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD")


def test_head_has_the_headers_and_no_body() -> None:
    reply = ask("/health", REQUEST_METHOD="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["Content-Length"] == str(len(ask("/health").body))


@pytest.mark.parametrize(
    "environ", [{"CONTENT_LENGTH": "1"}, {"HTTP_TRANSFER_ENCODING": "chunked"}]
)
def test_no_page_takes_a_body(environ: dict[str, str]) -> None:
    reply = ask("/health", **environ)
    assert (reply.status, reply.headers["Connection"]) == (413, "close")


@pytest.mark.parametrize("length", ["", "0"])
def test_an_empty_body_is_none(length: str) -> None:
    assert ask("/health", CONTENT_LENGTH=length).status == 200


def test_long_paths_are_refused() -> None:
    assert ask("/" + "a" * MAX_PATH_BYTES).status == 414


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/admin/sessions", "/nothing"])
def test_every_reply_has_the_security_headers(path: str) -> None:
    headers = ask(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


@given(
    st.text(max_size=40),
    st.sampled_from(["GET", "HEAD", "POST"]),
    st.text(max_size=40),
    st.text(max_size=10),
)
def test_any_request_is_answered(path: str, method: str, header: str, length: str) -> None:
    reply = ask("/" + path, REQUEST_METHOD=method, HTTP_AUTHORIZATION=header, CONTENT_LENGTH=length)
    assert 200 <= reply.status < 500
