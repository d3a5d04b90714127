"""One system of a tenant, by HTTP and JSON: what is asked, and what is believed of the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import pybase64

from esl_controller.services.http import ServiceFailed
from esl_controller.services.ports import Http, HttpResponse, SystemFailed
from esl_controller.settings.types import Secret
from esl_controller.tenants.hosts import is_loopback
from esl_controller.tenants.keys.secrets import SecretError

MAX_ANSWER_BYTES = 64 * 1024
_REASONS = {404: "not_found", 410: "not_found", 409: "conflict", 412: "conflict"}

OpenKey = Callable[[str], Secret]
"""The key a sealed credential of the tenant holds. May wait; raises SecretError."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a system is, and how it knows us."""

    http: Http
    domain_uuid: str
    url: str
    credential: str | None
    open_key: OpenKey
    user: str | None = None
    """With one the key is a password (RFC 7617), else a token (RFC 6750)."""

    def ask(
        self,
        method: str,
        path: str,
        answer: type[_T],
        *,
        timeout_s: float,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> _T:
        """Send JSON and read a JSON answer of a certain shape. Raises SystemFailed."""
        url = self.url.rstrip("/") + path + (f"?{urlencode(query)}" if query else "")
        response = self.send(method, url, timeout_s=timeout_s, json=json, headers=headers)
        try:
            return msgspec.convert(msgspec.json.decode(response.body), answer, strict=False)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            words = "answered with something else than the contract says"
            raise SystemFailed("malformed", words) from None

    def send(
        self,
        method: str,
        url: str,
        *,
        timeout_s: float,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> HttpResponse:
        """Send one request and return its answer where that is 2xx. Raises SystemFailed."""
        try:
            return self.http.request(
                method,
                url,
                domain_uuid=self.domain_uuid,
                headers={**self._authorization(url), **(headers or {})},
                json=json,
                body=body,
                timeout_s=timeout_s,
                max_bytes=max_bytes,
            ).require_success()
        except ServiceFailed as error:
            reason = _REASONS.get(error.status, error.reason)
            raise SystemFailed(
                reason, error.words, status=error.status, sent=error.may_have_arrived
            ) from None

    def _authorization(self, url: str) -> dict[str, str]:
        if self.credential is None:
            return {}
        parts = urlsplit(url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise SystemFailed("refused", "a key goes over https:// alone")
        try:
            key = self.open_key(self.credential).reveal()
        except SecretError as error:
            raise SystemFailed("refused", f"its key: {error}") from None
        if self.user is None:
            return {"Authorization": f"Bearer {key}"}
        return {"Authorization": f"Basic {basic(self.user, key)}"}


def basic(user: str, password: str) -> str:
    """Credentials as HTTP's Basic scheme wants them."""
    return pybase64.b64encode(f"{user}:{password}".encode()).decode()


def segment(text: str) -> str:
    """One step of a path, whatever is in it."""
    return quote(text, safe="")
