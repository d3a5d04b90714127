"""The HTTP pages on a worker's media port: health, readiness, metrics, admin.

A WSGI application without state of its own: what it tells comes from a `ServiceView`. The media
server hands it every request that is not a WebSocket upgrade of /stream/….
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import msgspec

from esl_controller.settings.table import Http
from esl_controller.telemetry.metrics import Metrics
from esl_controller.web.access import CHALLENGE, HEADERS, AdminDoor, Refused

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]

MAX_PATH_BYTES = 512
EXPOSITION_S = 1.0
"""How long a text of /metrics is handed out again: making one costs the hub milliseconds."""
_JSON = "application/json"


class SessionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation going on, as /admin/sessions shows it."""

    call_uuid: str
    domain_uuid: str
    started_at: str
    """ISO 8601, UTC."""
    provider: str
    turns: int


class ServiceView(Protocol):
    """What the pages may know of the service. Answers at once, without waiting."""

    def is_ready(self) -> bool:
        """New calls are welcome: started, and not draining."""

    def status(self) -> str:
        """starting | healthy | degraded | unavailable | full | draining"""

    def reasons(self) -> Sequence[str]:
        """A sentence for each thing that is not as it should be."""

    def active_sessions(self) -> int:
        """Conversations going on."""

    def providers(self) -> Mapping[str, str]:
        """Kind of provider to available | degraded | unavailable."""

    def provider_results(self) -> Mapping[str, Mapping[str, float | int | None]]:
        """Kind of provider to the seconds since it last worked and failed, failures in a row."""

    def circuits(self) -> Mapping[str, Mapping[str, int]]:
        """Kind of provider to how many tenants' are `open` and `half_open`."""

    def errands(self) -> Mapping[str, int]:
        """How many are queued, running and dead, when last counted."""

    def sessions(self) -> Iterable[SessionInfo]:
        """Every conversation going on."""


@dataclass(frozen=True, slots=True)
class _Reply:
    status: HTTPStatus
    body: bytes
    content_type: str = _JSON
    headers: tuple[tuple[str, str], ...] = ()


class _Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: HTTPStatus, *headers: tuple[str, str]) -> None:
        super().__init__(status.phrase)
        self.reply = _Reply(status, _json({"error": status.phrase}), headers=headers)


class HttpPages:
    """The WSGI application. `api` gets everything below /api."""

    def __init__(
        self,
        settings: Http,
        metrics: Metrics,
        service: ServiceView,
        api: WsgiApp | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._metrics_text = b""
        self._metrics_until = -math.inf
        self._metrics = metrics
        self._service = service
        self._api = api
        self._door = AdminDoor(settings)
        self._pages: Mapping[str, Callable[[Environ], _Reply]] = {
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._exposition,
            "/admin/sessions": self._sessions,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        path = environ.get("PATH_INFO", "")
        if self._api is not None and path == "/admin/calls":
            return self._api({**environ, "PATH_INFO": "/api/v1/calls"}, start_response)
        if self._api is not None and path.startswith("/api/"):
            return self._api(environ, start_response)
        try:
            reply = self._page(environ)(environ)
        except _Refusal as refusal:
            reply = refusal.reply
        headers = [
            ("Content-Type", reply.content_type),
            ("Content-Length", str(len(reply.body))),
            *HEADERS,
            *reply.headers,
        ]
        start_response(f"{reply.status.value} {reply.status.phrase}", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else reply.body]

    def _page(self, environ: Environ) -> Callable[[Environ], _Reply]:
        """Check what every request must obey and find its page. No page takes a body."""
        path = environ.get("PATH_INFO", "")
        if len(path) > MAX_PATH_BYTES:
            raise _Refusal(HTTPStatus.REQUEST_URI_TOO_LONG)
        if path not in self._pages:
            raise _Refusal(HTTPStatus.NOT_FOUND)
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            raise _Refusal(HTTPStatus.METHOD_NOT_ALLOWED, ("Allow", "GET, HEAD"))
        if environ.get("CONTENT_LENGTH") not in {None, "", "0"} or _is_chunked(environ):
            # The body is not read, so the connection cannot be used again.
            raise _Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, ("Connection", "close"))
        return self._pages[path]

    def _health(self, _environ: Environ) -> _Reply:
        body = {
            "status": self._service.status(),
            "reasons": list(self._service.reasons()),
            "active_sessions": self._service.active_sessions(),
            "providers": dict(self._service.providers()),
            "provider_results": dict(self._service.provider_results()),
            "circuits": dict(self._service.circuits()),
            "errands": dict(self._service.errands()),
        }
        return _Reply(HTTPStatus.OK, _json(body))

    def _ready(self, _environ: Environ) -> _Reply:
        ready = self._service.is_ready()
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _Reply(status, _json({"ready": ready, "status": self._service.status()}))

    def _exposition(self, _environ: Environ) -> _Reply:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        if self._clock() >= self._metrics_until:
            self._metrics_text = self._metrics.exposition()
            self._metrics_until = self._clock() + EXPOSITION_S
        return _Reply(HTTPStatus.OK, self._metrics_text, kind)

    def _sessions(self, environ: Environ) -> _Reply:
        self._require_admin(environ)
        return _Reply(HTTPStatus.OK, _json({"sessions": list(self._service.sessions())}))

    def _require_admin(self, environ: Environ) -> None:
        refused = self._door.check(environ)
        if refused is Refused.NETWORK:
            raise _Refusal(HTTPStatus.FORBIDDEN)
        if refused is Refused.TOKEN:
            raise _Refusal(HTTPStatus.UNAUTHORIZED, *CHALLENGE)


def _is_chunked(environ: Environ) -> bool:
    return bool(environ.get("HTTP_TRANSFER_ENCODING"))


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
