"""Looks a question up in a tenant's documents: by its words, and by what it means where vectors are
to be had. What keeps the second from being had costs the first nothing but a part of the time."""

from __future__ import annotations

import time
from contextlib import suppress

import gevent
import structlog

from esl_controller.database.pool import DatabaseError, Pool, RowRefused
from esl_controller.database.repository import knowledge
from esl_controller.knowledge.found import Found, Meaning, NoVector, Passage, SearchFailed, Vector
from esl_controller.knowledge.passages import without_accents

MAX_QUESTION = 500
FOUND = 4
"""Passages for one question."""
MEANING_SHARE = 0.4
"""Of the time of a search: what the service of vectors may take of it."""
LOOK_AGAIN_S = 60.0
"""For pgvector, where it was not installed."""

_log = structlog.get_logger("knowledge")


class DocumentSearch:
    """One for a worker. Waits in the greenlet of a function."""

    def __init__(self, pool: Pool, meaning: Meaning | None = None) -> None:
        """Without `meaning` the words alone count."""
        self._pool = pool
        self._meaning = meaning
        self._has_vectors = False
        self._looked_at = float("-inf")

    def search(self, domain_uuid: str, question: str, *, timeout_s: float) -> Found:
        """The passages that fit best, the best first; none when nothing fits.

        Raises SearchFailed.
        """
        question = question[:MAX_QUESTION]
        vector, why = None, ""
        try:
            with gevent.Timeout(timeout_s) as late:
                try:
                    vector = self._vector(domain_uuid, question, MEANING_SHARE * timeout_s)
                except NoVector as error:
                    why = str(error)
                return self._found(domain_uuid, question, vector, why)
        except gevent.Timeout as error:
            if error is not late:
                raise
            raise SearchFailed("the documents were not searched in time") from None
        except DatabaseError as error:
            raise SearchFailed(f"the documents cannot be searched: {error}") from None

    def _found(self, domain_uuid: str, question: str, vector: Vector | None, why: str) -> Found:
        if vector is not None:
            try:
                return Found(self._passages(domain_uuid, question, vector), by_meaning=True)
            except RowRefused:
                why = "the service answered with something that is no vector"
                _log.warning("knowledge.no_vector", domain_uuid=domain_uuid, why=why)
        return Found(self._passages(domain_uuid, question, None), why=why)

    def _passages(self, domain_uuid: str, question: str, vector: Vector | None) -> list[Passage]:
        plain = without_accents(question)
        space, numbers = vector or ("", "")
        with self._pool.connection(autocommit=True) as one:
            rows = knowledge.search(
                one, domain_uuid, question, plain, FOUND, space=space, vector=numbers
            )
        return [Passage(row["title"], row["content"]) for row in rows]

    def _vector(self, domain_uuid: str, question: str, timeout_s: float) -> Vector | None:
        """None where the domain finds nothing by meaning. Raises NoVector, DatabaseError."""
        if self._meaning is None or not (space := self._meaning.space(domain_uuid)):
            return None
        if not self._can_compare():
            raise NoVector("pgvector is not installed in the database")
        with self._pool.connection(autocommit=True) as connection:
            stored = knowledge.vector_length(connection, domain_uuid, space)
        if not stored:
            raise NoVector("no document has its vectors yet")
        vector = self._meaning.vector(domain_uuid, question, timeout_s=timeout_s)
        if vector.numbers.count(",") + 1 != stored:
            self._make_anew(domain_uuid, vector)
        return vector

    def _make_anew(self, domain_uuid: str, vector: Vector) -> None:
        """The service has another model under the same name. What it says may also be no vector."""
        with suppress(RowRefused), self._pool.connection(autocommit=True) as connection:
            knowledge.forget_misfits(connection, domain_uuid, *vector)

    def _can_compare(self) -> bool:
        if not self._has_vectors and time.monotonic() - self._looked_at >= LOOK_AGAIN_S:
            self._looked_at = time.monotonic()
            with self._pool.connection(autocommit=True) as connection:
                self._has_vectors = knowledge.has_vectors(connection)
        return self._has_vectors
