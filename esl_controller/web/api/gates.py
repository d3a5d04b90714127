"""How many requests of a kind may be in work at once; one more is answered 429."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager

from gevent.lock import BoundedSemaphore

from esl_controller.web.api.problems import too_many


class Gate(enum.Enum):
    """Kinds of requests: places, longest wait in seconds, name."""

    READ = (2, 2.0, "reading requests")
    """Few, because calls and journal share the worker's database connections."""
    PROVIDER = (2, 0.0, "provider tests and previews")
    TEST_CALL = (1, 0.0, "test calls")
    EXPORT = (2, 0.0, "exports")
    """Each may last minutes."""
    PLAY = (8, 0.0, "recordings being played")
    OUTSIDE = (4, 2.0, "functions being tried")
    DOCUMENT = (1, 10.0, "documents being read")
    ACT = (4, 2.0, "acts on calls")


class Gates:
    """The places of one worker."""

    def __init__(self) -> None:
        self._places = {gate: BoundedSemaphore(gate.value[0]) for gate in Gate}

    @contextmanager
    def through(self, gate: Gate) -> Iterator[None]:
        """Hold a place meanwhile. Raises Problem 429 when none is free in time."""
        _, wait_s, name = gate.value
        places = self._places[gate]
        if not places.acquire(blocking=wait_s > 0, timeout=wait_s or None):
            raise too_many(name, 2)
        try:
            yield
        finally:
            places.release()
