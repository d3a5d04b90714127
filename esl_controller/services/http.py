"""The one HTTP client for a tenant's own systems. What they answer is hostile.

A tenant says where its systems are. The host must be one of the tenant's `allowed_tool_hosts` and
one the operator allows, and what is connected is an address that was judged
(`bridge.wire.dialling`): a name that was public a moment ago leads nowhere inside now. No redirect
is followed and nothing is sent twice.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import msgspec

from bridge.wire.dialling import Dialler, Resolve, look_up
from bridge.wire.exchange import ExchangeFailed, Exchanges
from esl_controller.tenants.hosts import HostRefused, ServiceHosts

MAX_ANSWER_BYTES = 256 * 1024
MAX_REQUEST_BYTES = 1 << 20
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4096}")
_OURS = re.compile(
    r"host|content-length|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|"
    r"accept-encoding|proxy-.*",
    re.IGNORECASE,
)
"""Headers that say how a message is carried, and to whom."""
_URL = re.compile(r"https?://[\x21-\x5b\x5d-\x7e]{1,4000}")
"""No backslash, no blank, nothing outside ASCII: all readers of addresses see the same host."""
_HOST = re.compile(r"[0-9a-z_]([0-9a-z._-]{0,251}[0-9a-z_])?|[0-9a-f:.]{2,45}")

AllowedHosts = Callable[[str], Sequence[str]]
"""The hosts a tenant names as its own, by `domain_uuid`. May wait."""


class ServiceFailed(Exception):
    """A tenant's system did not do it.

    `reason` is refused (by us, nothing was sent), timeout, unreachable, status, too_large or
    malformed. `words` are for the operator; they hold nothing that was sent.
    """

    def __init__(self, reason: str, words: str, *, status: int = 0) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words
        self.status = status
        """Of the answer, where the reason is `status`."""

    @property
    def may_have_arrived(self) -> bool:
        """Whether the other side may have acted all the same."""
        return self.reason != "refused"


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
        self._exchanges = Exchanges(Dialler(hosts.refusal, resolve), tls)

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

    def close(self) -> None:
        """Close the connections that are kept."""
        self._exchanges.close()


def readable_url(url: str) -> SplitResult:
    """The parts of an http address that every reader splits alike, the host in lower case.

    Raises ValueError, whose text does not repeat the address: it may hold a key.
    """
    problem = "must be an http:// or https:// address without a user name"
    try:
        parts = urlsplit(url) if _URL.fullmatch(url) else urlsplit("")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise ValueError(problem) from None
    if not _HOST.fullmatch(host) or "@" in parts.netloc or port == 0:
        raise ValueError(problem)
    shown = f"[{host}]" if ":" in host else host
    return parts._replace(netloc=shown if port is None else f"{shown}:{port}")


def header_problem(name: str, value: str) -> str | None:
    """Why a header cannot be sent; None: it can. Does not repeat the value, which may be a key."""
    if not _HEADER_NAME.fullmatch(name):
        return f"{name!r:.60} is no header name (RFC 9110 section 5.1)"
    if _OURS.fullmatch(name):
        return f"{name} is ours to set"
    return None if _HEADER_VALUE.fullmatch(value) else f"{name}: must be printable ASCII"


def _require_sendable(method: str, headers: Mapping[str, str], body: bytes) -> None:
    if method not in _METHODS:
        raise ServiceFailed("refused", f"the method must be one of {', '.join(_METHODS)}")
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
    return ServiceFailed(reason, str(error) if error.stage == "refused" else f"{host}: {error}")
