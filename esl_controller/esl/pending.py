"""Results awaited by identifier: background jobs, executed applications."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from .applications import Application
from .errors import CallGone, CommandTimeout
from .events import Event
from .waiting import Waiter

T = TypeVar("T")


class Pending(Generic[T]):
    """Waiters by identifier, at most `limit`; the oldest goes when one more comes.

    Something must go: messages that ``uuid_break … all`` throws away end without any event.
    """

    def __init__(self, limit: int) -> None:
        self.forgotten = 0
        self._limit = limit
        self._waiters: OrderedDict[str, Waiter[T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiters)

    def add(self, identifier: str, what: str) -> Waiter[T]:
        """Await the result of `identifier`."""
        if len(self._waiters) >= self._limit:
            _, oldest = self._waiters.popitem(last=False)
            self.forgotten += 1
            oldest.fail(CommandTimeout(f"{oldest.what} (forgotten for newer ones)", 0.0))
        waiter = Waiter[T](what)
        self._waiters[identifier] = waiter
        return waiter

    def resolve(self, identifier: str, value: T) -> None:
        """Give the result, if anybody awaits it."""
        waiter = self._waiters.pop(identifier, None)
        if waiter is not None:
            waiter.resolve(value)

    def discard(self, identifier: str) -> None:
        """Await it no more."""
        self._waiters.pop(identifier, None)

    def fail_all(self, reason: str) -> None:
        """Let everybody who waits go with `CallGone`."""
        while self._waiters:
            self._waiters.popitem()[1].fail(CallGone(reason))


class PendingExecute:
    """An application that was queued; `id` is its Event-UUID."""

    __slots__ = ("_waiter", "application", "id")

    def __init__(self, identifier: str, application: Application, waiter: Waiter[Event]) -> None:
        self.id = identifier
        self.application = application
        self._waiter = waiter

    @property
    def done(self) -> bool:
        """Whether it has ended, or never will."""
        return self._waiter.done

    def wait(self, timeout_s: float) -> Event:
        """Return its CHANNEL_EXECUTE_COMPLETE. Raise `CallGone` or `CommandTimeout`.

        A message thrown away by ``uuid_break … all`` ends without any event: it times out.
        """
        return self._waiter.wait(timeout_s)
