"""Which provider is tried next, and after what pause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.providers.base import ErrorKind, ProviderFailure, ProviderProtocol
from bridge.session.retries import HOPELESS

TRIES_PER_PROVIDER = 2
"""While it rings: a second try catches a dropped connection, a third only prolongs the wait."""
SLOW_S = 2.0
"""A host that took so long to fail is not tried again: the caller is better served by the next
provider, or by a human, than by as long a wait once more."""
MAX_REPLACEMENTS = 12
"""In one conversation: one that comes up and breaks again and again is no help."""
RECOVERY_PAUSES_S = (0.0, 1.0, 2.0, 3.0)
"""In a conversation: pauses before each round through the tenant's providers. A service that
restarts is back within seconds, and starting all over with somebody else is worse for a caller."""
NOT_TRIED = "circuit_open"
"""Code of the failure where none of the providers may be tried: no provider told it."""
MAX_RETRY_PAUSE_S = 5.0
"""Longest pause that a provider's own wish makes of it."""


class Gate(Protocol):
    """What all calls of a worker know of one provider of a tenant's."""

    @property
    def well(self) -> bool:
        """Whether any number of calls may try it."""

    def admit(self) -> bool:
        """Whether it may be tried now; a yes may be for this one try only."""

    def failed(self, kind: ErrorKind) -> None:
        """It could not be reached, broke, or was of no use."""

    def heard(self) -> None:
        """A connection's first answer was heard: it is well."""


class OpenGate:
    """Nothing is known."""

    well = True

    def admit(self) -> bool:
        """It may always be tried."""
        return True

    def failed(self, kind: ErrorKind) -> None:
        """Nobody minds."""

    def heard(self) -> None:
        """Nobody minds."""


_OPEN = OpenGate()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One provider of the tenant's list."""

    name: str
    """Unlike any other candidate's; told back with each `Usage`, as whose bill it is on."""
    kind: str
    """openai | elevenlabs | gemini | custom: fit for a metric's label."""
    make: Callable[[], ProviderProtocol]
    gate: Gate = _OPEN


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

    def first(self) -> Candidate | None:
        """Whom to begin with; None when none of them may be tried."""
        following = self._next()
        return None if following is None else following[1]

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
            self._queue = [(pause_s, c) for pause_s, c in self._queue if c.name != name]
        elif failure.kind is ErrorKind.RATE_LIMIT:
            self._let_others_go_first(name)
        following = self._next()
        if following is None:
            return None
        self.replacements += 1
        pause_s, candidate = following
        if candidate.name == name and failure.retry_in_s is not None:
            pause_s = max(pause_s, min(failure.retry_in_s, MAX_RETRY_PAUSE_S))
        return pause_s, candidate

    def _strike(self, name: str) -> None:
        self._left = [c for c in self._left if c.name != name]
        self._queue = [(pause_s, c) for pause_s, c in self._queue if c.name != name]

    def _let_others_go_first(self, name: str) -> None:
        """It wants to be waited for: not while there is somebody else."""
        behind = next((n for n, (_, c) in enumerate(self._queue) if c.name != name), 0)
        self._queue = self._queue[behind:]

    def _next(self) -> tuple[float, Candidate] | None:
        """The first that may be tried. In a conversation anybody, rather than nobody."""
        for index, (_, candidate) in enumerate(self._queue):
            if candidate.gate.admit():
                return self._take(index)
        return self._take(0) if self._recovering and self._queue else None

    def _take(self, index: int) -> tuple[float, Candidate]:
        """Passing over those before it, but not over the pause they were to begin with."""
        pause_s = max(pause_s for pause_s, _ in self._queue[: index + 1])
        candidate = self._queue[index][1]
        del self._queue[: index + 1]
        return pause_s, candidate

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
