"""Questions as vectors, for a search that goes on without them where they are not to be had."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

import structlog

from esl_controller.database.pool import DatabaseError
from esl_controller.knowledge.found import NoVector, Vector
from esl_controller.services.access import LoadTenant
from esl_controller.services.embeddings import Embeddings, EmbeddingService
from esl_controller.services.failed import ServiceFailed
from esl_controller.tenants.rules import ConfigError

REST_S = 30.0
"""A service that did not answer is not waited for again: callers are on the line."""
MAX_RESTING = 1000

_log = structlog.get_logger("knowledge")


class QuestionVectors:
    """One for a worker."""

    def __init__(
        self,
        embeddings: Embeddings,
        load: LoadTenant,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._embeddings = embeddings
        self._load = load
        self._clock = clock
        self._resting: OrderedDict[tuple[str, str], float] = OrderedDict()

    def space(self, domain_uuid: str) -> str:
        """Of a domain's vectors; empty: nobody makes any. Raises NoVector."""
        service = self._service(domain_uuid)
        return service.space if service is not None else ""

    def vector(self, domain_uuid: str, question: str, *, timeout_s: float) -> Vector:
        """Of a question. Raises NoVector, at once while the service rests."""
        service = self._service(domain_uuid)
        if service is None:
            raise NoVector("no service makes vectors for the domain")
        key = (domain_uuid, service.space)
        if self._clock() < self._resting.get(key, 0.0):
            raise NoVector("the embedding service has just failed")
        try:
            numbers, *_ = self._embeddings.embed(
                domain_uuid, service, [question], timeout_s=timeout_s
            )
        except ServiceFailed as error:
            self._rest(key)
            _log.warning("knowledge.no_vector", domain_uuid=domain_uuid, why=error.words)
            raise NoVector(f"embedding service: {error.words}") from None
        return Vector(service.space, numbers)

    def _rest(self, key: tuple[str, str]) -> None:
        self._resting[key] = self._clock() + REST_S
        self._resting.move_to_end(key)
        if len(self._resting) > MAX_RESTING:
            self._resting.popitem(last=False)

    def _service(self, domain_uuid: str) -> EmbeddingService | None:
        try:
            return self._embeddings.of(self._load(domain_uuid))
        except (ConfigError, DatabaseError) as error:
            raise NoVector(f"the domain's settings cannot be read: {error}") from None
