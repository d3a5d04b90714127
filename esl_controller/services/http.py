"""The one HTTP client for a tenant's own systems. What they answer is hostile.

A tenant says where its systems are. The host must be one of the tenant's `allowed_tool_hosts` and
one the operator allows, and what is connected is an address that was judged
(`bridge.wire.dialling`): a name that was public a moment ago leads nowhere inside now. No redirect
is followed and nothing is sent twice.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import gevent
import msgspec

from bridge.wire.dialling import AddressRefused, Dialler, Resolve, look_up
from bridge.wire.exchange import ExchangeFailed, Exchanges
from esl_controller.services.failed import ServiceFailed
from esl_controller.tenants.addresses import METHODS, header_problem, readable_url
from esl_controller.tenants.hosts import HostRefused, ServiceHosts

MAX_ANSWER_BYTES = 256 * 1024
REPORT = "REPORT"
"""Of calendars (RFC 3253 3.6): sent by our own client, never by a tenant's function."""
MAX_REQUEST_BYTES = 1 << 20

__all__ = ["Response", "ServiceFailed", "ServiceHttp"]

AllowedHosts = Callable[[str], Sequence[str]]
"""The hosts a tenant names as its own, by `domain_uuid`. May wait."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer of any status: a redirect, which is not followed, and a refusal are answers too."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def require_success(self) -> Response:
        """Itself, where its status is 2xx. Raises ServiceFailed."""
        if not 200 <= self.status < 300:
            raise ServiceFailed("status", f"answered {self.status}", status=self.status)
        return self

    def json(self) -> Any:
        """The body of a 2xx answer as JSON. Raises ServiceFailed."""
        try:
            return msgspec.json.decode(self.require_success().body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise ServiceFailed("malformed", "answered with something that is no JSON") from None


class ServiceHttp:
    """One for a worker. Requests wait in the greenlet that makes them, never in a media greenlet.

    `tls` None: the system's certificates.
    """

    def __init__(
        self,
        allowed: AllowedHosts,
        hosts: ServiceHosts,
        *,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve = look_up,
    ) -> None:
        self._allowed = allowed
        self._hosts = hosts
        self._dialler = Dialler(hosts.refusal, resolve)
        self._exchanges = Exchanges(self._dialler, tls)

    def request(
        self,
        method: str,
        url: str,
        *,
        domain_uuid: str,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        timeout_s: float,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Response:
        """Send one request for a tenant and return its answer, whatever the status.

        Args:
            json: sent as the body where it is not None; `body` is sent as it is.

        Raises:
            ServiceFailed: also for `method`, `url` and `headers` that cannot be sent.
        """
        if json is not None:
            body = msgspec.json.encode(json)
            headers = {"Content-Type": "application/json", **(headers or {})}
        url = self.require_allowed(url, domain_uuid)
        _require_sendable(method, headers or {}, body or b"")
        try:
            answer = self._exchanges.exchange(
                method, url, headers or {}, body or b"", timeout_s=timeout_s, max_bytes=max_bytes
            )
        except ExchangeFailed as error:
            raise _failed(error, urlsplit(url).hostname or "") from None
        return Response(answer.status, answer.headers, answer.body)

    def require_allowed(self, url: str, domain_uuid: str) -> str:
        """The address as it is dialled. Raises ServiceFailed where a tenant may not dial it."""
        try:
            parts = readable_url(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            self._hosts.require(parts.hostname or "", port, self._allowed(domain_uuid))
        except (HostRefused, ValueError) as error:
            raise ServiceFailed("refused", str(error)) from None
        return urlunsplit(parts._replace(fragment=""))

    def judged(
        self, url: str, domain_uuid: str, *, timeout_s: float
    ) -> tuple[str, tuple[str, ...]]:
        """For who connects elsewhere: the address as it is dialled, and the IP addresses that may
        be connected. Raises ServiceFailed."""
        url = self.require_allowed(url, domain_uuid)
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            with gevent.Timeout(timeout_s) as late:
                return url, tuple(self._dialler.addresses(host, port))
        except gevent.Timeout as error:
            if error is not late:
                raise
            raise ServiceFailed("timeout", f"{host}: no address in time") from None
        except AddressRefused as error:
            raise ServiceFailed("refused", str(error)) from None
        except OSError:
            raise ServiceFailed("unreachable", f"{host}: the host has no address") from None

    def close(self) -> None:
        """Close the connections that are kept."""
        self._exchanges.close()


def _require_sendable(method: str, headers: Mapping[str, str], body: bytes) -> None:
    if method not in (*METHODS, REPORT):
        raise ServiceFailed("refused", f"the method must be one of {', '.join(METHODS)}")
    for name, value in headers.items():
        if problem := header_problem(name, value):
            raise ServiceFailed("refused", problem)
    if len(body) > MAX_REQUEST_BYTES:
        raise ServiceFailed("refused", f"the request has more than {MAX_REQUEST_BYTES} bytes")


_REASONS = {
    "refused": "refused",
    "request": "refused",
    "timeout": "timeout",
    "too_large": "too_large",
    "protocol": "malformed",
}


def _failed(error: ExchangeFailed, host: str) -> ServiceFailed:
    reason = _REASONS.get(error.stage, "unreachable")
    words = str(error) if error.stage == "refused" else f"{host}: {error}"
    return ServiceFailed(reason, words, sent=error.sent)
