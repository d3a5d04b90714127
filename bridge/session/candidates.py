"""Which provider is tried next, and after what pause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.providers.base import ProviderFailure, ProviderProtocol
from bridge.session.retries import HOPELESS

TRIES_PER_PROVIDER = 2
"""While it rings: a second try catches a dropped connection, a third only prolongs the wait."""
SLOW_S = 2.0
"""A host that took so long to fail is not tried again while another provider is left."""
MAX_REPLACEMENTS = 12
"""In one conversation: one that comes up and breaks again and again is no help."""
RECOVERY_PAUSES_S = (0.0, 1.0, 2.0, 3.0)
"""In a conversation: pauses before each round through the tenant's providers. A service that
restarts is back within seconds, and starting all over with somebody else is worse for a caller."""
MAX_RETRY_PAUSE_S = 5.0
"""Longest pause that a provider's own wish makes of it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One provider of the tenant's list."""

    name: str
    """Unlike any other candidate's; may be a tenant's own words."""
    kind: str
    """openai | elevenlabs | gemini | custom: fit for a metric's label."""
    make: Callable[[], ProviderProtocol]


@dataclass(frozen=True, slots=True)
class Served:
    """How the connection that ended had served."""

    ready: bool = False
    """It took the settings."""
    heard: bool = False
    """An answer of it was heard: only that is proof of health."""
    given_up: bool = False
    """By us: it was connected, and of no use."""
    took_s: float = 0.0
    """From its first try to its end."""


class Candidates:
    """The tenant's providers in one conversation, first choice first."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._left = list(candidates)
        self._queue = [(0.0, c) for c in candidates for _ in range(TRIES_PER_PROVIDER)]
        self._recovering = False
        self.replacements = 0

    def first(self) -> Candidate:
        """Whom to begin with."""
        return self._queue.pop(0)[1]

    def others(self, name: str) -> bool:
        """Whether there is anybody else."""
        return any(candidate.name != name for candidate in self._left)

    def after(
        self, name: str, failure: ProviderFailure, served: Served
    ) -> tuple[float, Candidate] | None:
        """Whom to try when `name` failed, after so many seconds; None when nobody is left.

        Only a provider that was heard begins the rounds anew: one that connects and never answers
        would else be taken for ever, and the tenant's next one never.
        """
        if failure.kind in HOPELESS or not failure.retryable:
            self._strike(name)
        if self.replacements >= MAX_REPLACEMENTS:
            return None
        if served.heard or (served.ready and not self._recovering):
            self._recovering = True
            self._queue = self._rounds(name, again=served.heard and not served.given_up)
        elif not served.ready and served.took_s >= SLOW_S:
            self._skip(name)
        if not self._queue:
            return None
        self.replacements += 1
        pause_s, candidate = self._queue.pop(0)
        if candidate.name == name and failure.retry_in_s is not None:
            pause_s = max(pause_s, min(failure.retry_in_s, MAX_RETRY_PAUSE_S))
        return pause_s, candidate

    def _strike(self, name: str) -> None:
        self._left = [c for c in self._left if c.name != name]
        self._queue = [(pause_s, c) for pause_s, c in self._queue if c.name != name]

    def _skip(self, name: str) -> None:
        """Somebody else first, if there is anybody."""
        if any(c.name != name for _, c in self._queue):
            while self._queue[0][1].name == name:
                self._queue.pop(0)

    def _rounds(self, name: str, *, again: bool) -> list[tuple[float, Candidate]]:
        """Rounds through all that are left, a pause before each.

        `again`: whoever has served well until now comes first, else last.
        """
        order = sorted(self._left, key=lambda c: (c.name != name) is again)
        return [
            (0.0 if number else pause_s, candidate)
            for pause_s in RECOVERY_PAUSES_S
            for number, candidate in enumerate(order)
        ]
