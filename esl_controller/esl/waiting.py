"""One result that somebody waits for: set once, waited for with a deadline."""

from __future__ import annotations

import time
from typing import Generic, TypeVar

from gevent.event import AsyncResult

from .errors import CommandTimeout, EslError

T = TypeVar("T")


class Waiter(Generic[T]):
    """A result to come; the first outcome counts, later ones are ignored."""

    __slots__ = ("_result", "given_up", "what")

    def __init__(self, what: str) -> None:
        self.what = what
        self.given_up = False
        self._result: AsyncResult[T | EslError] = AsyncResult()

    @property
    def done(self) -> bool:
        """Whether the outcome is known."""
        return bool(self._result.ready())

    def resolve(self, value: T) -> None:
        """Give the result. Safe to call from the hub."""
        if not self.done:
            self._result.set(value)

    def fail(self, error: EslError) -> None:
        """Let every wait raise `error`. Safe to call from the hub."""
        if not self.done:
            self._result.set(error)

    def wait(self, timeout_s: float) -> T:
        """Return the result. Raise what it failed with, or `CommandTimeout` after `timeout_s`."""
        self._result.wait(max(0.0, timeout_s))
        if not self.done:
            self.given_up = True
            raise CommandTimeout(self.what, timeout_s)
        outcome = self._result.value
        assert outcome is not None
        if isinstance(outcome, EslError):
            raise _afresh(outcome)
        return outcome


def _afresh(error: EslError) -> EslError:
    """The same error. One that is kept and raised knows, by its traceback, who keeps it: a cycle
    with all of a call in it."""
    made = type(error).__new__(type(error), *error.args)
    made.__dict__.update(error.__dict__)
    return made


class Deadline:
    """A point in monotonic time, shared by the steps of one operation."""

    __slots__ = ("_at", "timeout_s")

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._at = time.monotonic() + timeout_s

    @property
    def left_s(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._at - time.monotonic())
