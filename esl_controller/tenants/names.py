"""Which domain has a name: from memory for a while, then from the database."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

import gevent

from esl_controller.database.pool import DatabaseUnavailable

KEPT_S = 30.0
"""FusionPBX tells nobody when it renames a domain."""
MAX_NAMES = 1000


class DomainNames:
    """The names one worker was asked for. `find` reads one and may wait."""

    def __init__(
        self,
        find: Callable[[str], str | None],
        *,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._timeout_s = timeout_s
        self._clock = clock
        self._known: OrderedDict[str, tuple[str | None, float]] = OrderedDict()

    def domain_uuid(self, name: str) -> str | None:
        """Return the domain's UUID; None when there is none of this name, or more than one.

        While the database is away an old answer is given. Raises DatabaseError without one.
        """
        name = name.lower()
        known = self._known.get(name)
        if known is not None and self._clock() - known[1] < KEPT_S:
            return known[0]
        try:
            found = self._read(name)
        except DatabaseUnavailable:
            if known is None:
                raise
            found = known[0]
        self._known[name] = (found, self._clock())
        self._known.move_to_end(name)
        if len(self._known) > MAX_NAMES:
            self._known.popitem(last=False)
        return found

    def forget(self) -> None:
        """Read every name again before its next use."""
        self._known = OrderedDict(
            (name, (found, self._clock() - KEPT_S)) for name, (found, _) in self._known.items()
        )

    def _read(self, name: str) -> str | None:
        reading = gevent.spawn(self._find, name)
        reading.join(self._timeout_s)
        if not reading.ready():
            raise DatabaseUnavailable(f"domain not found within {self._timeout_s} s")
        found: str | None = reading.get()
        return found
