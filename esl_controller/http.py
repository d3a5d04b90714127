"""The HTTP pages on a worker's media port: health, readiness, metrics, admin.

A WSGI application without state of its own: what it tells comes from a `ServiceView`. The media
server hands it every request that is not a WebSocket upgrade of /stream/….
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import msgspec

from esl_controller.settings import Http
from esl_controller.telemetry.metrics import Metrics

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]

MAX_PATH_BYTES = 512
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
)
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
        """starting | healthy | degraded | draining"""

    def active_sessions(self) -> int:
        """Conversations going on."""

    def providers(self) -> Mapping[str, str]:
        """Provider name to available | degraded | unavailable."""

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
    """The WSGI application."""

    def __init__(self, settings: Http, metrics: Metrics, service: ServiceView) -> None:
        self._metrics = metrics
        self._service = service
        token = settings.admin_token.reveal()
        self._token_hash = _hash(token) if token else None
        self._admin_networks = [ipaddress.ip_network(text) for text in settings.admin_allow]
        self._pages: Mapping[str, Callable[[Environ], _Reply]] = {
            "/health": self._health,
            "/ready": self._ready,
            "/metrics": self._exposition,
            "/admin/sessions": self._sessions,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            reply = self._page(environ)(environ)
        except _Refusal as refusal:
            reply = refusal.reply
        headers = [
            ("Content-Type", reply.content_type),
            ("Content-Length", str(len(reply.body))),
            *_HEADERS,
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
            "active_sessions": self._service.active_sessions(),
            "providers": dict(self._service.providers()),
        }
        return _Reply(HTTPStatus.OK, _json(body))

    def _ready(self, _environ: Environ) -> _Reply:
        ready = self._service.is_ready()
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _Reply(status, _json({"ready": ready, "status": self._service.status()}))

    def _exposition(self, _environ: Environ) -> _Reply:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return _Reply(HTTPStatus.OK, self._metrics.exposition(), kind)

    def _sessions(self, environ: Environ) -> _Reply:
        self._require_admin(environ)
        return _Reply(HTTPStatus.OK, _json({"sessions": list(self._service.sessions())}))

    def _require_admin(self, environ: Environ) -> None:
        """Refuse unless network and bearer token are right (RFC 6750 section 2.1)."""
        if self._token_hash is None or not self._is_near(environ.get("REMOTE_ADDR", "")):
            raise _Refusal(HTTPStatus.FORBIDDEN)
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        # Digests have one length, so the comparison tells nothing of the token, not even its own.
        if not hmac.compare_digest(_hash(token.strip()), self._token_hash) or (
            scheme.lower() != "bearer"
        ):
            raise _Refusal(HTTPStatus.UNAUTHORIZED, ("WWW-Authenticate", 'Bearer realm="admin"'))

    def _is_near(self, address: str) -> bool:
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(peer, "ipv4_mapped", None) or peer
        return any(mapped in network for network in self._admin_networks)


def _is_chunked(environ: Environ) -> bool:
    return bool(environ.get("HTTP_TRANSFER_ENCODING"))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
