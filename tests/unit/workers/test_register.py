"""A worker's sign of life when the database is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import pytest

from esl_controller.database.pool import DatabaseUnavailable
from esl_controller.workers import register
from esl_controller.workers.register import WorkerRegister


class AwayPool:
    """A database that nobody reaches."""

    asked = 0

    @contextmanager
    def connection(self, **_: object) -> Iterator[Any]:
        self.asked += 1
        raise DatabaseUnavailable("away")
        yield


def test_a_beat_that_failed_is_repeated_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a fail-over the others would else think it lost."""
    monkeypatch.setattr(register, "RETRY_S", 0.001)
    pool: Any = AwayPool()
    beating = WorkerRegister(pool, lambda: pytest.fail("nobody asks for the row"))
    beating.start()
    with gevent.Timeout(5):
        while pool.asked < 3:
            gevent.sleep(0.001)
    assert beating.last_error == "away"
    beating.stop(all_stored=False)
