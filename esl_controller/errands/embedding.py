"""Kind `embedding`: the passages of a document get their vectors, and who asks for it.

Whoever stores a document or changes a setting does not ask for it: now and then a worker looks
which documents have no vectors of the model that is set now, however that came to be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import gevent
import structlog

from esl_controller.database.acts import Errand, QueuedErrand, errand
from esl_controller.database.pool import DatabaseError, GreenConnection, Pool, RowRefused
from esl_controller.database.repository import errands, knowledge
from esl_controller.database.repository.statements import Row
from esl_controller.errands.base import Dead, Delivered, Means, Retry
from esl_controller.services.embeddings import Embeddings, EmbeddingService
from esl_controller.services.failed import ServiceFailed
from esl_controller.tenants.checks import WEB_ADDRESS

KIND = "embedding"
LOOK_S = 30.0
BATCH = 8
"""Passages a request: their vectors are read from JSON on the hub, in a millisecond."""
WORK_S = 30.0
"""Of one errand; a longer document goes on with another."""
REQUEST_S = 20.0
_NEVER = frozenset({400, 404, 405, 413, 415, 422})

_log = structlog.get_logger("errands")


@dataclass(frozen=True, slots=True)
class Embedding:
    """Has the passages of `payload["document_uuid"]` embedded as far as they are not."""

    limit_s: float = 24 * 3600.0
    clock: Callable[[], float] = time.monotonic

    def deliver(self, wanted: QueuedErrand, means: Means) -> Delivered:
        """Batch by batch, each stored: what is done is done when the next one fails."""
        service = means.embeddings.of(means.tenant)
        if service is None or service.space != wanted.payload.get("space"):
            return Delivered({"skipped": "the settings have changed"})
        document_uuid, until, done = str(wanted.payload["document_uuid"]), self.clock() + WORK_S, 0
        while batch := self._next(means, wanted.domain_uuid, document_uuid, service):
            self._embed(means, wanted.domain_uuid, document_uuid, service, batch)
            done += len(batch)
            if self.clock() > until:
                return Delivered({"passages": done}, [_further(wanted, done)])
        with means.pool.connection(autocommit=True) as connection:
            knowledge.finish_embedding(connection, wanted.domain_uuid, document_uuid, service.space)
        return Delivered({"passages": done})

    def _next(
        self, means: Means, domain_uuid: str, document_uuid: str, service: EmbeddingService
    ) -> list[Row]:
        with means.pool.connection(autocommit=True) as connection:
            return knowledge.to_embed(connection, domain_uuid, document_uuid, service.space, BATCH)

    def _embed(
        self,
        means: Means,
        domain_uuid: str,
        document_uuid: str,
        service: EmbeddingService,
        batch: list[Row],
    ) -> None:
        texts = [row["content"] for row in batch]
        try:
            vectors = means.embeddings.embed(domain_uuid, service, texts, timeout_s=REQUEST_S)
        except ServiceFailed as error:
            for_good = error.reason == "refused" or error.status in _NEVER
            raise (Dead if for_good else Retry)(f"embedding service: {error.words}") from None
        names = [row["passage_uuid"] for row in batch]
        try:
            with means.pool.connection(autocommit=True) as connection:
                knowledge.add_embeddings(
                    connection,
                    domain_uuid,
                    document_uuid,
                    service.space,
                    list(zip(names, vectors, strict=True)),
                )
        except RowRefused as error:
            raise Dead(f"embedding service: answered with no vectors: {error}") from None


def _further(wanted: QueuedErrand, done: int) -> Errand:
    return _asked(wanted.domain_uuid, dict(wanted.payload), f"{wanted.errand_uuid}:{done}")


def _asked(domain_uuid: str, payload: Mapping[str, str], key: str) -> Errand:
    return errand(KIND, domain_uuid, key, payload, datetime.now(UTC))


class EmbeddingDesk:
    """Asks for what is missing. One for a worker; one of them looks at a time."""

    def __init__(self, pool: Pool, embeddings: Embeddings) -> None:
        self._pool = pool
        self._embeddings = embeddings

    def run(self) -> None:
        """Look, for ever."""
        while True:
            try:
                self.run_once()
            except DatabaseError as error:
                _log.warning("embeddings.not_looked", error=str(error))
            gevent.sleep(LOOK_S)

    def run_once(self) -> None:
        """Ask for every document that has no vectors of its domain's model, unless that is being
        done or was given up. Raises DatabaseError."""
        with self._pool.connection() as connection:
            if not (knowledge.has_vectors(connection) and knowledge.looks_alone(connection)):
                return
            for row in knowledge.list_embedded(connection):
                service = self._service(row)
                if service is not None and service.space != row["embedded_as"]:
                    self._ask(connection, row["domain_uuid"], service.space)

    def _ask(self, connection: GreenConnection, domain_uuid: str, space: str) -> None:
        for document_uuid in knowledge.not_embedded(connection, domain_uuid, space):
            payload = {"document_uuid": document_uuid, "space": space}
            if not errands.is_open(connection, domain_uuid, KIND, payload):
                wanted = _asked(domain_uuid, payload, f"{document_uuid}:{time.time():.3f}")
                errands.insert(connection, domain_uuid, wanted)

    def _service(self, row: Row) -> EmbeddingService | None:
        url = row["embedding_url"]
        try:
            url = WEB_ADDRESS.read(url) if url else None
        except ValueError:
            return None  # the settings' own warning says so
        return self._embeddings.service_of(url, row["embedding_model"])
