"""What a call was like for its caller, and waiting until something is so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent


def wait_for(fact: Callable[[], Any], timeout_s: float, what: str) -> Any:
    """Until `fact()` holds; what it returned."""
    with gevent.Timeout(timeout_s, AssertionError(what)):
        while not (found := fact()):
            gevent.sleep(0.05)
    return found


@dataclass(frozen=True)
class Heard:
    """How one call went, as its caller heard it. Times are monotonic seconds."""

    uuid: str
    began_at: float
    greeted_at: float | None
    agent_last_at: float | None
    fallback_at: float | None
    ended_at: float | None

    @property
    def served(self) -> bool:
        """The agent has spoken, and nothing else."""
        return self.greeted_at is not None and self.fallback_at is None
