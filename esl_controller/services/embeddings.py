"""Texts as vectors, by any service with OpenAI's `/embeddings`.

A tenant's own service is asked as its other systems are; the installation's serves domains that
have none, on their budgets. What comes back is handed on as the text it came as: PostgreSQL reads
the numbers, and refuses what are none.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from bridge.providers.base import Usage
from bridge.providers.registry import vendor_at
from esl_controller.database.models import TenantSettings
from esl_controller.services.failed import ServiceFailed
from esl_controller.services.http import ServiceHttp
from esl_controller.services.ports import Http
from esl_controller.settings.table import Settings
from esl_controller.settings.types import Secret
from esl_controller.tenants.hosts import ServiceHosts, is_loopback
from esl_controller.tenants.keys.secrets import SecretError

MAX_ANSWER_BYTES = 2 << 20
"""Sixteen vectors of the longest kind, as text."""
MAX_VECTOR_BYTES = 128 * 1024
OpenKey = Callable[[str, str], Secret]
"""Of a domain, what a credential holds. May wait; raises SecretError."""
Book = Callable[[Usage, str], object]
"""Books what a vendor counted for a domain; never waits."""


@dataclass(frozen=True, slots=True)
class EmbeddingService:
    """Who turns a domain's texts into vectors."""

    url: str
    """Up to `/embeddings`."""
    model: str
    own: bool
    """The tenant's; else the installation's."""
    credential: str | None = None
    """The tenant's, sealed."""

    @property
    def space(self) -> str:
        """Names what can be compared: vectors of the same model of the same service."""
        named = f"{self.url.rstrip('/')}\n{self.model}"
        return hashlib.sha256(named.encode()).hexdigest()[:32]


class _Vector(msgspec.Struct, frozen=True):
    index: int
    embedding: msgspec.Raw


class _Counted(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0


class _Answer(msgspec.Struct, frozen=True):
    data: Sequence[_Vector]
    usage: _Counted = _Counted()


class Embeddings:
    """One for those who share an HTTP client. Waits; never in a media greenlet."""

    def __init__(
        self,
        http: Http,
        open_key: OpenKey,
        *,
        book: Book = lambda _usage, _domain_uuid: None,
        installation: EmbeddingService | None = None,
        key: Secret | None = None,
        installation_http: Http | None = None,
    ) -> None:
        """`installation_http` reaches the installation's service, which tenants need not be able to
        reach themselves."""
        self._http = http
        self._open_key = open_key
        self._book = book
        self._installation = installation
        self._key = key or Secret()
        self._installation_http = installation_http or http

    def service_of(self, url: str | None, model: str | None) -> EmbeddingService | None:
        """Who serves a domain with these settings, without its key; None: nobody."""
        if url:
            return EmbeddingService(url, model, own=True) if model else None
        return self._installation

    def of(self, tenant: TenantSettings) -> EmbeddingService | None:
        """Who serves a domain; None: nobody."""
        service = self.service_of(tenant.embedding_url, tenant.embedding_model)
        if service is None or not service.own:
            return service
        return EmbeddingService(service.url, service.model, True, tenant.embedding_key)

    def embed(
        self, domain_uuid: str, service: EmbeddingService, texts: Sequence[str], *, timeout_s: float
    ) -> list[str]:
        """The vectors of some texts, each as a list of numbers in JSON. Raises ServiceFailed."""
        http = self._http if service.own else self._installation_http
        answer = http.request(
            "POST",
            f"{service.url.rstrip('/')}/embeddings",
            domain_uuid=domain_uuid,
            headers=self._headers(domain_uuid, service),
            json={"model": service.model, "input": list(texts)},
            timeout_s=timeout_s,
            max_bytes=MAX_ANSWER_BYTES,
        ).require_success()
        said = _read(answer.body)
        self._count(domain_uuid, service, said)
        return _in_order(said, len(texts))

    def _headers(self, domain_uuid: str, service: EmbeddingService) -> dict[str, str]:
        key = self._key
        if service.own:
            if service.credential is None:
                return {}
            try:
                key = self._open_key(domain_uuid, service.credential)
            except SecretError as error:
                raise ServiceFailed("refused", f"embedding_key: {error}") from None
        if not key:
            return {}
        parts = urlsplit(service.url)
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise ServiceFailed("refused", "a key goes over https:// alone")
        return {"Authorization": f"Bearer {key.reveal()}"}

    def _count(self, domain_uuid: str, service: EmbeddingService, said: _Answer) -> None:
        """Paid for, whatever the vectors are worth."""
        tokens = max(0, min(said.usage.prompt_tokens, 10_000_000))
        usage = Usage(vendor_at(service.url), service.model, input_text_tokens=tokens)
        self._book(usage, domain_uuid)


def embeddings_of(
    settings: Settings, http: Http, open_key: OpenKey, tls: ssl.SSLContext | None, book: Book
) -> Embeddings:
    """Of the installation's settings; `http` is that of the tenants' systems."""
    at = settings.embedding
    if not at.url:
        return Embeddings(http, open_key, book=book)
    host = urlsplit(at.url).hostname or ""
    return Embeddings(
        http,
        open_key,
        book=book,
        installation=EmbeddingService(at.url, at.model, own=False),
        key=at.key,
        installation_http=ServiceHttp(lambda _domain: (host,), ServiceHosts((host,)), tls=tls),
    )


def _read(body: bytes) -> _Answer:
    try:
        return msgspec.json.decode(body, type=_Answer)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise ServiceFailed("malformed", "answered with no embeddings") from None


def _in_order(said: _Answer, wanted: int) -> list[str]:
    found = {one.index: bytes(one.embedding) for one in said.data}
    if sorted(found) != list(range(wanted)) or len(said.data) != wanted:
        raise ServiceFailed("malformed", "answered with another number of embeddings")
    if any(len(one) > MAX_VECTOR_BYTES or one[:1] != b"[" for one in found.values()):
        raise ServiceFailed("malformed", "answered with something that is no vector")
    return [found[number].decode("ascii", "replace") for number in range(wanted)]
