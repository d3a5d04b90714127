"""Looks a question up in a tenant's documents."""

from __future__ import annotations

from collections.abc import Sequence

import gevent

from esl_controller.database.pool import DatabaseError, Pool
from esl_controller.database.repository import knowledge
from esl_controller.knowledge.found import Passage, SearchFailed
from esl_controller.knowledge.passages import without_accents

MAX_QUESTION = 500
FOUND = 4
"""Passages for one question."""


class DocumentSearch:
    """One for a worker. Waits in the greenlet of a function."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def search(self, domain_uuid: str, question: str, *, timeout_s: float) -> Sequence[Passage]:
        """The passages that fit best, the best first; none when nothing fits.

        Raises SearchFailed.
        """
        question = question[:MAX_QUESTION]
        try:
            with gevent.Timeout(timeout_s) as late, self._pool.connection(autocommit=True) as one:
                plain = without_accents(question)
                rows = knowledge.search(one, domain_uuid, question, plain, FOUND)
        except gevent.Timeout as error:
            if error is not late:
                raise
            raise SearchFailed("the documents were not searched in time") from None
        except DatabaseError as error:
            raise SearchFailed(f"the documents cannot be searched: {error}") from None
        return [Passage(row["title"], row["content"]) for row in rows]
