"""Looks a question up in a tenant's documents: by its words, and by what it means where vectors are
to be had. Both at once, and whichever is there at the limit answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import gevent
import structlog

from esl_controller.database.pool import DatabaseError, Pool, RowRefused
from esl_controller.database.repository import knowledge
from esl_controller.database.repository.statements import Row
from esl_controller.knowledge.found import Found, Meaning, NoVector, SearchFailed, Vector
from esl_controller.knowledge.fusion import LOOKED_AT, fused
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
        words = _Way(
            partial(self._by_words, domain_uuid, question),
            late="the documents were not searched in time",
        )
        meaning = _Way(
            partial(self._by_meaning, domain_uuid, question, timeout_s),
            late="what is meant was not compared in time",
        )
        both = [words.greenlet, meaning.greenlet]
        try:
            gevent.joinall(both, timeout=timeout_s)
        finally:
            gevent.killall(both, block=False)
        if words.rows is None and meaning.rows is None:
            raise SearchFailed(words.why)
        rows = [way.rows for way in (words, meaning) if way.rows is not None]
        why = words.why or meaning.why
        return Found(fused(rows, FOUND), by_meaning=meaning.rows is not None, why=why)

    def _by_words(self, domain_uuid: str, question: str) -> list[Row]:
        plain = without_accents(question)
        with self._pool.connection(autocommit=True) as one:
            return knowledge.by_words(one, domain_uuid, question, plain, LOOKED_AT)

    def _by_meaning(self, domain_uuid: str, question: str, timeout_s: float) -> list[Row] | None:
        """None where the domain finds nothing by meaning. Raises NoVector, DatabaseError."""
        vector = self._vector(domain_uuid, question, MEANING_SHARE * timeout_s)
        if vector is None:
            return None
        try:
            with self._pool.connection(autocommit=True) as one:
                return knowledge.by_meaning(one, domain_uuid, *vector, LOOKED_AT)
        except RowRefused:
            why = "the service answered with something that is no vector"
            _log.warning("knowledge.no_vector", domain_uuid=domain_uuid, why=why)
            raise NoVector(why) from None

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


class _Way:
    """One way of searching, on its way."""

    def __init__(self, look: Callable[[], list[Row] | None], late: str) -> None:
        self.rows: list[Row] | None = None
        self.why = late
        """Why there are no rows; empty: nobody wanted any, or there are."""
        self.greenlet = gevent.spawn(self._look, look)

    def _look(self, look: Callable[[], list[Row] | None]) -> None:
        try:
            self.rows, self.why = look(), ""
        except NoVector as error:
            self.why = str(error)
        except DatabaseError as error:
            self.why = f"the documents cannot be searched: {error}"
